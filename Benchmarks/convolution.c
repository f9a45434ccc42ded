// The machine's own speed: bare oneDNN convolutions, 3 x 3, float32, of the shapes of a training step, of a frame and of a
// window of the published network; images in NHWC, and in the layout of oneDNN's own choice, reorders not counted.
// Prints `name median unit`. Build: cc -O2 convolution.c -o convolution -ldnnl
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { runs = 15 };
enum { forward, data_gradient, weight_gradient };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static dnnl_memory_t filled(const dnnl_memory_desc_t *description, dnnl_engine_t engine) {
    size_t size = dnnl_memory_desc_get_size(description);
    float *values = aligned_alloc(64, (size + 63) / 64 * 64);
    for (size_t i = 0; i < size / sizeof(float); i++) values[i] = 0.01f * (float)(i % 7);
    dnnl_memory_t memory = NULL;
    dnnl_memory_create(&memory, description, engine, values);
    return memory;
}

// Median GFLOP/s of one kind of convolution of n x h x w images with c channels in and out; 0 if there is none.
static double speed(dnnl_engine_t engine, dnnl_stream_t stream, int kind, dnnl_format_tag_t tag, int n, int h, int w,
    int c) {
    dnnl_dims_t image = {n, c, h, w}, kernel = {c, c, 3, 3}, one = {1, 1};
    dnnl_memory_desc_t source, weights, destination;
    dnnl_memory_desc_init_by_tag(&source, 4, image, dnnl_f32, tag);
    dnnl_memory_desc_init_by_tag(&destination, 4, image, dnnl_f32, tag);
    dnnl_memory_desc_init_by_tag(&weights, 4, kernel, dnnl_f32, dnnl_format_tag_any);
    dnnl_convolution_desc_t d;
    dnnl_primitive_desc_t hint = NULL, chosen = NULL;
    dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, dnnl_convolution_direct, &source, &weights, NULL,
        &destination, one, one, one);
    if (dnnl_primitive_desc_create(&hint, &d, NULL, engine, NULL)) return 0;
    chosen = hint;
    if (kind == data_gradient)
        dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, &source, &weights, &destination, one,
            one, one);
    if (kind == weight_gradient)
        dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, &source, &weights, NULL,
            &destination, one, one, one);
    if (kind != forward && dnnl_primitive_desc_create(&chosen, &d, NULL, engine, hint)) return 0;
    dnnl_primitive_t primitive;
    if (dnnl_primitive_create(&primitive, chosen)) return 0;
    dnnl_query_t images = kind == data_gradient ? dnnl_query_diff_src_md : dnnl_query_src_md;
    dnnl_query_t kernels = kind == weight_gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    dnnl_query_t results = kind == forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md;
    dnnl_exec_arg_t arguments[3] = {
        {kind == data_gradient ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC,
            filled(dnnl_primitive_desc_query_md(chosen, images, 0), engine)},
        {kind == weight_gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
            filled(dnnl_primitive_desc_query_md(chosen, kernels, 0), engine)},
        {kind == forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST,
            filled(dnnl_primitive_desc_query_md(chosen, results, 0), engine)}};
    double seconds[runs];
    for (int run = -2; run < runs; run++) {
        double start = now();
        dnnl_primitive_execute(primitive, stream, 3, arguments);
        dnnl_stream_wait(stream);
        if (run >= 0) seconds[run] = now() - start;
    }
    qsort(seconds, runs, sizeof *seconds, ascending);
    return 2.0 * 9 * n * h * w * c * c / seconds[runs / 2] / 1e9;
}

int main(void) {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_engine_create(&engine, dnnl_cpu, 0);
    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    const int shapes[][4] = {{8, 48, 48, 64}, {8, 24, 24, 96}, {8, 12, 12, 128},
        {1, 200, 320, 64}, {1, 100, 160, 96}, {1, 50, 80, 128},
        {1, 192, 192, 128}, {1, 96, 96, 256}, {1, 48, 48, 256}};
    const char *kinds[] = {"forward", "data-gradient", "weight-gradient"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int kind = 0; kind < (i < 3 ? 3 : 1); kind++) {
            const int *s = shapes[i];
            printf("convolution/%s/%dx%dx%dx%d nhwc %.0f, own layout %.0f GFLOP/s\n", kinds[kind], s[0], s[1], s[2],
                s[3], speed(engine, stream, kind, dnnl_nhwc, s[0], s[1], s[2], s[3]),
                speed(engine, stream, kind, dnnl_format_tag_any, s[0], s[1], s[2], s[3]));
        }
    return 0;
}
