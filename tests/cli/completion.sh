#!/bin/bash
# Completions in the real shells; every flag that help and completions name is taken by its command; the manual renders.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
mkdir "$dir/bin"
ln -s "$NONO" "$dir/bin/nono"
export PATH=$dir/bin:$PATH
for shell in bash zsh fish; do
	nono completion $shell >"$dir/nono.$shell" || fail "no completion for $shell"
done
mkdir "$dir/zsh"
cp "$dir/nono.zsh" "$dir/zsh/_nono"
mkdir sub

# what a line completes to, the last word only: line|expected
cases='nono ru|run
nono run --supervision f|full
nono run --profile claude-n|claude-no-kc
nono run -p claude-n|claude-no-kc
nono profile prom|promote
nono profile show claude-n|claude-no-kc
nono completion fi|fish
nono help doc|doctor
nono why --ho|--host
nono run --allow su|sub
nono run -- sha256s|sha256sum
nono shell --shel|--shell
nono doctor --js|--json'

bash_completes() {
	bash --norc -c '. "$1"; read -ra COMP_WORDS <<<"$2"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _nono; printf "%s\n" "${COMPREPLY[@]}" | sort -u | paste -sd" "' \
		- "$dir/nono.bash" "$1"
}
fish_completes() {
	fish --no-config -c "source $dir/nono.fish; complete -C '$1'" 2>&1 | cut -f1 | sed 's,/$,,' | paste -sd' '
}
# zsh completes only in a terminal: there Tab completes the line and writes it to a file
zsh_all() {
	cat >"$dir/zshrc" <<-Z
		fpath=($dir/zsh \$fpath)
		autoload -U compinit
		compinit -u -D
		tab() { zle complete-word; print -r -- "\$BUFFER" >>$dir/zsh.lines; BUFFER=; }
		zle -N tab
		bindkey "^I" tab
		echo READ\Y
	Z
	: >"$dir/zsh.lines"
	zsh -f -c '
		zmodload zsh/zpty
		zpty z "TERM=dumb COLUMNS=200 zsh -f -i"
		zpty -w z "source $1/zshrc"
		zpty -r z out "*READY*"
		n=0
		while IFS= read -r line; do
			zpty -w -n z "$line"$'"'\t'"'
			n=$((n + 1))
			for i in {1..400}; do
				[[ $(wc -l <$1/zsh.lines) -ge $n ]] && break
				sleep 0.05
			done
		done' - "$dir"
	cat "$dir/zsh.lines"
}
mapfile -t from_zsh < <(cut -d'|' -f1 <<<"$cases" | zsh_all)
i=0
while IFS='|' read -r line want; do
	same "bash: $line" "$want" "$(bash_completes "$line")"
	same "fish: $line" "$want" "$(fish_completes "$line")"
	got=${from_zsh[i]% }
	got=${got%[/=]}
	same "zsh: $line" "$want" "${got##* }"
	i=$((i + 1))
done <<<"$cases"
same "bash without a word" 0 "$(bash --norc -c '. "$1"; COMP_WORDS=(nono ""); COMP_CWORD=1; _nono; ((${#COMPREPLY[@]} > 10)); echo $?' - "$dir/nono.bash")"

# every flag that is shown exists
for command in $(nono help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	while read -r flag arg _; do
		value=()
		[[ $arg =~ ^[A-Z] ]] && value=(1)
		sub=()
		[ "$command" = profile ] && sub=("$(nono help profile | grep -e " $flag " | sed 's/.*\[\([a-z]*\).*/\1/')")
		case $command in run | shell | wrap) value+=(--help) ;; esac # parses, and starts nothing
		[ "$flag" = --env-credential-map ] && continue
		out=$(timeout 20 nono "$command" "${sub[@]}" "$flag" "${value[@]}" </dev/null 2>&1)
		[ $? = 124 ] && fail "nono $command $flag does not end"
		case $out in *"does not know"* | *nrecogni* | *"unknown option"* | *"no option of"*) fail "nono $command ${sub[*]} $flag: $out" ;; esac
	done < <(nono help "$command" | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\) *\([A-Z%,.]*\).*/\2 \3/p')
done

# the manual has every option, and no complaint of the formatter
man_text=$(nono help --man | MANWIDTH=100 man -l --warnings - 2>"$dir/man.err" | col -b)
same "warnings of the formatter" "" "$(cat "$dir/man.err")"
for flag in $(nono help run | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'); do
	case $man_text in *"$flag"*) ;; *) fail "$flag is not in the manual" ;; esac
done
finish
