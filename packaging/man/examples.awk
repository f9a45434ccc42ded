# Help to mdoc: indented lines are examples and keep their breaks, empty ones end a paragraph.
function close_example() { if (open) print ".Ed"; open = 0 }
/^  / {
    if (!open) print ".Bd -literal -offset indent"
    open = 1
    sub(/^ +/, "")
    gsub(/\\/, "\\e")
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
END { close_example() }
