# Prints every `package` declaration without a doc comment above it; `swift format` looks at public ones only.
FNR == 1 { documented = 0 }
/^[ ]*\/\/\// { documented = 1; next }
/^[ ]*@/ && !/package / { next }
/^[ ]*(@[A-Za-z]+(\([^)]*\))? )*package / && !/package import / && !/= Key\(/ {  # the row of a key has its sentence
    if (!documented) { print FILENAME ":" FNR ": " $0; found = 1 }
}
{ documented = 0 }
END { exit found }
