# How well a ranking puts faulty frames first: awk -f ranking.awk LABELLED.csv... RANKED.csv
#
# The lists have the header img_path,seg_path,label; the ranking is what `autoqc score --ranked` prints. Frames are matched by
# their file's name; names have no commas. Prints a row of a table in Markdown.
BEGIN { FS = "," }
{ n = split($1, path, "/"); name = path[n] }
$1 == "img_path" || $1 == "file" { ranking = $1 == "file"; next }
!ranking { faulty[name] = $3; next }
name in faulty { hit[++frames] = faulty[name] == 1; all += hit[frames] }
END {
    if (!all) { print "ranking.awk: no faulty frame of the lists is in the ranking" > "/dev/stderr"; exit 1 }
    for (k = 1; k <= frames; k++) {
        found += hit[k]
        if (hit[k]) precision += found / k
        if (!ninety && found >= 0.9 * all) ninety = k
        if (!last && found == all) last = k
        seen[k] = found
    }
    five = int(frames * 0.05 + 0.999); ten = int(frames * 0.1 + 0.999)
    printf "| %d | %d | %.3f | ", frames, all, precision / all
    printf "%d of %d | %.2f | %.2f | %d | %d |", seen[all], all, seen[five] / all, seen[ten] / all, ninety, last
    for (k = 5; k <= frames && k <= 80; k *= 2) printf " %d |", seen[k]
    print ""
}
