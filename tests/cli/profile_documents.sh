#!/bin/bash
# What published pages say of running an agent: each command line as it is written there, by a program that does what
# agents do. Elsewhere: profiles of the pages (profile_runs, unit/profile_load_test), secrets (secrets_keyring), the
# hook (hooks_claude_files), pages and logins (open_pages, oauth_*), the network (proxy_rules, net_allowlist).
set -u
# not below /tmp, which is no place for a home
work=$(mktemp -d /var/tmp/nono-documents-XXXXXX)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$work"' EXIT
export HOME=$work/home
unset NONO_CAP_FILE XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_DATA_HOME
profiles=$HOME/.config/nono/profiles
mkdir -p "$profiles" "$HOME/.ssh" "$HOME/.claude" "$HOME/.vscode" "$HOME/.config/Code" "$HOME/.local/share/claude/versions" \
	"$HOME/projects/my-app" "$HOME/other-project" "$HOME/.cargo/bin" "$HOME/.local/bin" "$HOME/.config/git" "$HOME/go/bin" \
	"$HOME/go/pkg/mod" "$HOME/.cache/go-build" "$HOME/.config/gh" "$HOME/.local/state/claude/locks" "$work/project" "$work/bin"
cd "$work/project" || exit 1
failures=0
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}
echo key >"$HOME/.ssh/id_ed25519"
echo state >"$HOME/.local/share/claude/state"
echo '{}' >"$HOME/.claude.json"
echo source >source
# the agent: "claude WORD PATH..." says for each path whether it could, one word
cat >"$work/bin/claude" <<'SH'
#!/bin/bash
how=$1
shift
for path in "$@"; do
	case $how in
	write) echo agent >>"$path" ;;
	replace) echo new >"$path.tmp.$$" && mv "$path.tmp.$$" "$path" ;; # as agents replace their settings
	read) cat "$path" >/dev/null ;;
	run) "$path" >/dev/null ;;
	esac 2>/dev/null && printf 'yes ' || printf 'no '
done
SH
chmod 0755 "$work/bin/claude"
export PATH=$work/bin:/usr/local/bin:/usr/bin:/bin
# can WHAT ANSWERS FLAGS... -- claude ...: what the agent could. What a page leaves to be asked at the start is given.
can() {
	local what=$1 wanted=$2 out
	shift 2
	out=$(timeout 60 "$NONO" run -s --on-request deny --allow-cwd --read "$work/bin" "$@" 2>&1 </dev/null)
	[ "${out% }" = "$wanted" ] || fail "$what: expected '$wanted', got '$out'"
}

# the built-in profile provides
can "the working directory, state, settings, extensions" "yes yes yes yes yes" --profile claude-code -- claude write made ~/.claude/x ~/.claude.json ~/.vscode/x ~/.config/Code/x
can "settings that are replaced" yes --profile claude-code -- claude replace ~/.claude.json
can "the agent's own state" "yes no" --profile claude-code -- claude read ~/.local/share/claude/state ~/.ssh/id_ed25519
[ "$(cat "$HOME/.claude.json")" = new ] || fail "the settings are not what the agent wrote"

# restricted to one project, wherever it is started
(cd "$HOME" && can "one project" "yes no no" --workdir ~/projects/my-app --allow ~/projects/my-app --read ~/.claude -- claude write ~/projects/my-app/x ~/other-project/x ~/.claude/y)
can "its state is read" yes --allow ~/projects/my-app --read ~/.claude -- claude read ~/.claude/x

# read only (--allow-cwd without a profile shares for reading)
can "read only: reads" "yes yes" --read . --read ~/.claude --allow-file ~/.claude.json -- claude read source ~/.claude/x
can "read only: writes" "no no yes" --read . --read ~/.claude --allow-file ~/.claude.json -- claude write source ~/.claude/y ~/.claude.json
can "read only: settings that are replaced" yes --read . --read ~/.claude --allow-file ~/.claude.json -- claude replace ~/.claude.json

# flags on top of the profile
can "one more directory" "yes no" --profile claude-code --allow ~/other-project -- claude write ~/other-project/y ~/projects/my-app/y
can "no network, files as ever" "yes" --profile claude-code --block-net -- claude write made

# tools in the home directory
printf '#!/bin/sh\necho tool\n' | tee "$HOME/.cargo/bin/rust-analyzer" >"$HOME/.local/bin/pyright"
chmod 0755 "$HOME/.cargo/bin/rust-analyzer" "$HOME/.local/bin/pyright"
can "tools that may be read are run, not written" "yes yes" --profile claude-code --read ~/.cargo/bin --read ~/.local/bin -- claude run ~/.cargo/bin/rust-analyzer ~/.local/bin/pyright
can "nor written" "no" --profile claude-code --read ~/.cargo/bin --read ~/.local/bin -- claude write ~/.cargo/bin/rust-analyzer
mkdir "$HOME/closed" && cp "$HOME/.cargo/bin/rust-analyzer" "$HOME/closed/"
PATH=$HOME/closed:$PATH can "a closed entry of PATH does not hide the next ones" "tool" --profile claude-code --read ~/.cargo/bin -- \
	/usr/bin/python3 -c 'import os, sys
os.environ["PATH"] += ":" + os.path.expanduser("~/.cargo/bin")
pid = os.posix_spawnp("rust-analyzer", ["rust-analyzer"], os.environ); os.waitpid(pid, 0)'

# git's settings
printf '[user]\n\tname = Somebody\n' >"$HOME/.gitconfig"
touch "$HOME/.gitignore_global" "$HOME/.config/git/ignore"
can "git's settings" Somebody --profile claude-code -- git config --global user.name
can "and its lists" "yes yes no" --profile claude-code -- claude read ~/.gitignore_global ~/.config/git/ignore ~/.ssh/id_ed25519
can "not to be written" no --profile claude-code -- claude write ~/.gitconfig

# an agent's socket, granted as such
socket="$HOME/Library/Containers/com.maxgoedjen.Secretive.SecretAgent/Data/socket.ssh"
mkdir -p "${socket%/*}" && touch "${socket%/*}/beside"
/usr/bin/python3 -c 'import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1])); s = socket.socket(socket.AF_UNIX); s.bind("socket.ssh"); s.listen()
while True: s.accept()[0].sendall(b"agent")' "$socket" &
server=$!
for _ in $(seq 1200); do [ -S "$socket" ] && break; sleep 0.05; done
cp "$NONO_SOURCE"/tests/data/profiles/claude-code-secretive.json "$profiles"
ask='import os, socket, sys
os.chdir("/"); s = socket.socket(socket.AF_UNIX)
try: s.connect(sys.argv[1]); print(s.recv(9).decode())
except OSError as e: print(e.strerror)'
mkdir "$HOME/s" && ln -s "$socket" "$HOME/s/s" # the name is too long for a socket's address
can "an agent's socket" agent --profile claude-code-secretive -- /usr/bin/python3 -c "$ask" "$HOME/s/s"
can "without the profile" "Permission denied" --profile claude-code -- /usr/bin/python3 -c "$ask" "$HOME/s/s"
can "nothing else of its directory" no --profile claude-code-secretive -- claude read "${socket%/*}/beside"

# a profile of the built-in's name hides it until it is removed
/usr/bin/python3 - "$NONO_SOURCE/tests/data/profiles/own/claude-code.json" "$profiles/claude-code.json" <<'P'
import json, sys
profile = json.load(open(sys.argv[1]))
del profile["env_credentials"] # there is no keyring here
json.dump(profile, open(sys.argv[2], "w"))
P
can "hidden" "yes no" --profile claude-code -- claude write ~/.claude/z ~/.vscode/z
mv "$profiles/claude-code.json" "$profiles/renamed.json"
can "and back" "yes yes" --profile claude-code -- claude write ~/.claude/z ~/.vscode/z

# the profile that was saved by a program, with the team's directories
/usr/bin/python3 - "$NONO_SOURCE/tests/data/profiles/saved.json" "$profiles/team.json" <<'P'
import json, sys
profile = json.load(open(sys.argv[1]))
del profile["env_credentials"]
json.dump(profile, open(sys.argv[2], "w"))
P
echo token >"$HOME/.config/gh/hosts.yml"
can "read and write" "yes yes" --profile team -- claude write ~/go/pkg/mod/x ~/.cache/go-build/x
can "read" "yes no" --profile team -- claude read ~/.config/gh/hosts.yml ~/.ssh/id_ed25519
can "not write" "no no" --profile team -- claude write ~/go/bin/x ~/.config/gh/hosts.yml
can "write" "yes" --profile team -- claude write ~/.local/share/claude/versions/x
can "existing configuration" "yes" --profile team -- claude read ~/.claude/x
# destructive commands stay inside
can "rm -rf" "" --profile team -- sh -c 'rm -rf ~/other-project ~/projects ~/.ssh 2>/dev/null; echo'
[ -e "$HOME/other-project/y" ] && [ -e "$HOME/projects/my-app/x" ] && [ -e "$HOME/.ssh/id_ed25519" ] || fail "rm -rf reached what was not granted"
[ $failures = 0 ]
