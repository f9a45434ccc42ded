# The table of `autoqc validate --keys` to mdoc.
function plain(text) { gsub(/`/, "", text); gsub(/\[([^]]*)\]\([^)]*\)/, "", text); gsub(/^ +| +$/, "", text); gsub(/\\/, "\\e", text); return text }
BEGIN { print ".Sh KEYS"; print ".Bl -tag -width 6n" }
/^\| `/ {
    # A value may hold the separator.
    line = $0
    gsub(/\\\|/, "\001", line)
    split(line, cell, "|")
    for (i in cell) gsub(/\001/, "|", cell[i])
    unit = plain(cell[6]) == "" ? "" : " " plain(cell[6])
    print ".It Cm " plain(cell[2])
    print plain(cell[8])
    said = plain(cell[3]) "; default: " plain(cell[4])
    if (plain(cell[5]) != "") said = said "; " plain(cell[5]) unit
    print "(" said "; taken at a reload: " plain(cell[7]) ".)"
}
END { print ".El" }
