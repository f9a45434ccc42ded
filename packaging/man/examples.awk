# Help to mdoc: indented lines keep their breaks, empty ones end a paragraph. The examples become a section of their own.
function close_example() { if (open) print ".Ed"; open = 0 }
/^Examples?:$/ { in_examples = 1; next }
in_examples && /^  / {
    sub(/^  /, "")
    examples = examples $0 "\n"
    next
}
in_examples && !/^$/ && !/^\.Pp$/ { in_examples = 0 }
in_examples { next }
/^  / {
    if (!open) print ".Bd -literal -offset indent"
    open = 1
    sub(/^ +/, "")
    print
    next
}
/^$/ { close_example(); print ".Pp"; next }
/^\.Sh "EXIT STATUS"/ { close_example(); exit }
{
    close_example()
    # mdoc wants each sentence on a line of its own.
    while ($0 !~ /^\./ && match($0, /[a-z0-9)`]\. [A-Z]/)) {
        print substr($0, 1, RSTART + 1)
        $0 = substr($0, RSTART + 3)
    }
    print
}
END {
    close_example()
    if (examples) printf ".Sh EXAMPLES\n.Bd -literal -offset indent\n%s.Ed\n", examples
}
