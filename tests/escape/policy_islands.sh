#!/bin/bash
# The whole home directory is shared; what is denied in it stays closed, however a program goes about it.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"

plant() {
	rm -rf "$HOME" && mkdir -p "$HOME"/{.ssh,.aws,.config/google-chrome,.config/app,.local/state/nono/audit,.config/nono/profiles,proj}
	for f in .ssh/id .aws/credentials .config/google-chrome/Cookies .bashrc .local/state/nono/audit/log; do
		echo SECRET >"$HOME/$f"
	done
	printf '#!/bin/sh\necho SECRET\n' >"$HOME/.ssh/run" && chmod +x "$HOME/.ssh/run"
	echo plain >"$HOME/proj/x"
	ln -s "$HOME/.ssh" "$HOME/proj/old-link"
	ln -s "$HOME/.aws" "$HOME/link"
	cp "$probe" "$HOME/proj/probe"
}
state() { (cd "$HOME" && find .ssh .aws .config/google-chrome .bashrc .config/nono .local/state/nono/audit -printf '%p %y %i\n' -type f -exec cat {} + | sort); }

# What a program may try to get at a secret. Each is run by sh in ~/proj.
attacks=(
	'cat ~/.ssh/id'
	'cat ../.ssh/id'
	'cat old-link/id'
	'cat ../link/credentials'
	'cat ./old-link/../.aws/credentials'
	'ln -s ~/.ssh/id l; cat l'
	'ln -s ../.ssh l; cat l/id'
	'ln ~/.ssh/id l; cat l'
	'ln -P ../link/credentials l; cat l'
	'mv ~/.ssh s; cat s/id'
	'mv ~/.ssh/id l; cat l'
	'mv ~/.config c; cat c/google-chrome/Cookies'
	'mv ~/.config/google-chrome ~/.config/app/; cat ~/.config/app/google-chrome/Cookies'
	'cd ~/.ssh && cat id'
	'cat /proc/self/root$HOME/.ssh/id'
	'cat /proc/self/cwd/../.ssh/id'
	'cat /proc/$$/root$HOME/.aws/credentials'
	'exec 3<~/.ssh; cat /proc/self/fd/3/id'
	'exec 3<~; cat /proc/self/fd/3/.ssh/id'
	'cp -r ~/.ssh s; cat s/id'
	'tar cf t -C ~ .ssh; tar xOf t .ssh/id'
	'~/.ssh/run'
	'sh ~/.ssh/run'
	'. ~/.bashrc; cat ~/.bashrc'
	'/lib64/ld-linux-x86-64.so.2 ~/.ssh/run; cat ~/.ssh/run'
	'cat ~/.local/state/nono/audit/log'
	'cat ~/.local/./state/../state/nono/audit/log'
	'mv ~/.local/state s; cat s/nono/audit/log'
	'grep -r SECRET ~'
	'find ~ -name id -exec cat {} \;'
	'mount --bind ~/.ssh . ; cat id'
	'unshare -rm sh -c "mount --bind ~/.ssh . && cat id"'
)
# What a program may try to change.
changes=(
	'echo x >>~/.ssh/id'
	': >~/.ssh/id'
	'truncate -s0 ~/.ssh/id'
	'rm -rf ~/.ssh'
	'rmdir ~/.aws'
	'touch ~/.ssh/authorized_keys'
	'echo evil >>~/.bashrc'
	'mv x ~/.bashrc'
	'ln -sf ~/proj/x ~/.bashrc'
	'cp x ~/.bashrc'
	'mv -T ~/proj ~/.aws'
	'echo {} >~/.config/nono/profiles/evil.json'
	'mv ~/.config/nono ~/.config/app/'
	'rm -rf ~/.local/state/nono/audit'
)
# What must not come into being.
absent=(.netrc .gnupg .zshrc .kube .nono .config/op)

for mode in full off; do
	run() { (cd "$HOME/proj" && "$NONO" run -s --allow "$HOME" --on-request deny --supervision "$mode" --no-diagnostics -- sh -c "$1" 2>/dev/null </dev/null); }
	plant
	same "$mode: a file beside the secrets" plain "$(run 'cat ~/proj/x')"
	before=$(state)
	for a in "${attacks[@]}"; do
		out=$(run "$a")
		case $out in *SECRET*) fail "$mode: leaked by: $a" ;; esac
		rm -rf "$HOME/proj/l" "$HOME/proj/s" "$HOME/proj/c" "$HOME/proj/t"
		same "$mode: state after: $a" "$before" "$(state)"
	done
	for a in "${changes[@]}"; do
		run "$a" >/dev/null
		same "$mode: changed by: $a" "$before" "$(state)"
	done
	for f in "${absent[@]}"; do
		run "echo x >~/$f; mkdir ~/$f; ln -s proj ~/$f; mv x ~/$f" >/dev/null
		[ -e "$HOME/$f" ] || [ -L "$HOME/$f" ] && fail "$mode: ~/$f was made"
	done
	run 'ln -s proj ~/.mozilla; mv ~/proj/x ~/.mozilla' >/dev/null
	[ -e "$HOME/.mozilla" ] && fail "$mode: something stands where a denied directory will lie"
done
finish
