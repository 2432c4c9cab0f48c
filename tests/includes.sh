#!/usr/bin/env bash
# A folder includes only itself and what stands before it; LLVM, X3 and multiprecision stay behind their borders.
set -u
cd "$1" || exit 2
bad=0
complain() { echo "$1"; bad=1; }
check() {  # folder, allowed folders
  local folder=$1 allowed=$2 line
  while IFS= read -r line; do
    local target=${line#*\"}; target=${target%%/*}
    case " $allowed " in *" $target "*) ;; *) complain "$folder must not include $target: $line" ;; esac
  done < <(grep -rHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$folder" --include='*.cpp' --include='*.hpp' --include='*.def' | grep -v generated/)
}
check frontend "frontend"
check symbolic "symbolic frontend"
check codegen "codegen symbolic frontend"
check runtime "runtime codegen symbolic frontend"
grep -rlE 'include[[:space:]]*<boost/spirit' frontend symbolic codegen runtime cli 2>/dev/null | grep -v '^frontend/parse.cpp$' && complain "Spirit outside frontend/parse.cpp"
grep -rlE 'include[[:space:]]*["<]llvm' frontend symbolic codegen runtime cli 2>/dev/null | grep -v '^codegen/llvm/' && complain "LLVM outside codegen/llvm/"
grep -rlE 'include[[:space:]]*<boost/multiprecision' frontend/*.hpp symbolic/*.hpp codegen runtime cli 2>/dev/null && complain "multiprecision in a header or a later stage"
[ $bad = 0 ] && echo "includes go one way"
exit $bad
