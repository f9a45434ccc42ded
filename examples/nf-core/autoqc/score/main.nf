process AUTOQC_SCORE {
    tag "$meta.id"
    label 'process_medium'

    // autoqc is in no conda channel and in no public registry: the image is built from its Debian package, by autoqc.def of examples/cluster.
    container 'autoqc.sif'

    input:
    tuple val(meta), path(frames, stageAs: 'frames/*')
    path(model)

    output:
    tuple val(meta), path("${prefix}")                     , emit: out
    tuple val(meta), path("${prefix}/frames.csv")          , emit: frames
    tuple val(meta), path("${prefix}.usable.csv")          , emit: usable
    tuple val(meta), path("${prefix}_multiqc/*_mqc.json")  , emit: multiqc
    tuple val("${task.process}"), val('autoqc'), eval("autoqc --version | sed 's/autoqc //'"), topic: versions, emit: versions_autoqc

    when:
    task.ext.when == null || task.ext.when

    // Nextflow hands files over as links, which autoqc does not follow in a folder, but takes from a list. Frames that cannot be read
    // (exit code 65) have rows like others.
    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    find -L frames -type f | LC_ALL=C sort | autoqc \\
        score \\
        --model ${model} \\
        --out ${prefix} \\
        --threads ${task.cpus} \\
        --quiet \\
        --files-from - \\
        ${args} || [ \$? -eq 65 ]

    autoqc export ${prefix} --usable > ${prefix}.usable.csv
    autoqc export ${prefix} --multiqc ${prefix}_multiqc
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir -p ${prefix} ${prefix}_multiqc
    touch ${prefix}/frames.csv ${prefix}.usable.csv
    touch ${prefix}_multiqc/${prefix}.general_mqc.json
    """
}
