#!/usr/bin/env bash
# Writes what the shells complete: completions.sh AUTOQC FOLDER, laid out as below /usr/local/share.
set -euo pipefail
autoqc=$1
mkdir -p "$2"/bash-completion/completions "$2"/zsh/site-functions "$2"/fish/vendor_completions.d
# The shell reads it, nothing runs it: a line that names an interpreter has no place there.
"$autoqc" --generate-completion-script bash | sed '1{/^#!/d}' > "$2/bash-completion/completions/autoqc"
"$autoqc" --generate-completion-script zsh > "$2/zsh/site-functions/_autoqc"
"$autoqc" --generate-completion-script fish > "$2/fish/vendor_completions.d/autoqc.fish"
