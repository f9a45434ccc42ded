// oneDNN 2.6 describes tensors with structs that hold fixed C arrays, which Swift sees as long tuples. These shims
// make one convolution (forward, data gradient or weight gradient) over NHWC tensors and run it; nothing else.
#pragma once

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// libgomp's own entry point to the pool that oneDNN uses; omp.h belongs to the compiler, not to the library.
extern void omp_set_num_threads(int threads);
extern int omp_get_max_threads(void);

// The version of the library that is loaded, not of the header.
static inline void aqc_onednn_version(int *major, int *minor, int *patch) {
    const dnnl_version_t *version = dnnl_version();
    *major = version->major;
    *minor = version->minor;
    *patch = version->patch;
}

static inline int32_t aqc_max_threads(void) { return omp_get_max_threads(); }

typedef enum { aqc_forward, aqc_backward_data, aqc_backward_weights } aqc_convolution_kind;

typedef struct {
    int64_t batch, height, width, input_channels;
    int64_t output_height, output_width, output_channels;
    int64_t kernel_height, kernel_width, stride, padding;
} aqc_convolution_shape;

typedef enum { aqc_identity, aqc_swish, aqc_relu } aqc_activation;

// One buffer of a convolution in its two forms: the plain one of tensors, and the layout and type of number the primitive
// wants. The reorders between them are NULL if the forms agree.
typedef struct {
    dnnl_memory_t plain, wanted;
    dnnl_primitive_t enter, leave;
    size_t wanted_bytes;
} aqc_buffer;

typedef struct {
    dnnl_primitive_t primitive;
    aqc_buffer source, weights, destination;
    dnnl_memory_t bias;
    aqc_convolution_kind kind;
} aqc_convolution;

static inline void aqc_buffer_free(aqc_buffer *buffer) {
    if (buffer->enter) dnnl_primitive_destroy(buffer->enter);
    if (buffer->leave) dnnl_primitive_destroy(buffer->leave);
    if (buffer->plain) dnnl_memory_destroy(buffer->plain);
    if (buffer->wanted) dnnl_memory_destroy(buffer->wanted);
}

static inline void aqc_convolution_free(aqc_convolution *plan) {
    if (plan->primitive) dnnl_primitive_destroy(plan->primitive);
    if (plan->bias) dnnl_memory_destroy(plan->bias);
    aqc_buffer_free(&plan->source);
    aqc_buffer_free(&plan->weights);
    aqc_buffer_free(&plan->destination);
    free(plan);
}

// The memory descriptions of a convolution: what tensors have, and what oneDNN may choose.
typedef struct {
    dnnl_memory_desc_t source, weights, destination, bias;
    dnnl_memory_desc_t plain_source, plain_weights, plain_destination;
} aqc_convolution_memory;

// Without AVX-512, oneDNN's convolutions of channels-last images run at half the speed of those of images in blocks of
// eight channels; reordering an image costs a few hundredths of a 3 x 3 convolution. With AVX-512 both are as fast.
static inline bool aqc_prefers_blocks(const aqc_convolution_shape *s) {
    return s->kernel_height * s->kernel_width > 1 && dnnl_get_effective_cpu_isa() < dnnl_cpu_isa_avx512_core;
}

// Whether the package's own convolutions for AVX-512 are to be used where they fit: not where oneDNN has the matrix tiles of AMX.
// As oneDNN sees the CPU, so that ONEDNN_MAX_CPU_ISA shows how an older one would fare.
static inline bool aqc_prefers_own_convolutions(void) {
    const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_vnni) == dnnl_cpu_isa_avx512_core_vnni &&
        (isa & dnnl_cpu_isa_avx512_core_amx) != dnnl_cpu_isa_avx512_core_amx;
}

// Whether the package's own convolutions by minimal filtering are to be used where they fit.
static inline bool aqc_prefers_winograd(void) {
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

// Whether the CPU itself multiplies bfloat16.
static inline bool aqc_multiplies_bfloat16(void) {
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

static inline aqc_convolution_memory aqc_describe(const aqc_convolution_shape *s, dnnl_data_type_t factors) {
    aqc_convolution_memory m;
    dnnl_dims_t source = {s->batch, s->input_channels, s->height, s->width};
    dnnl_dims_t destination = {s->batch, s->output_channels, s->output_height, s->output_width};
    dnnl_dims_t weights = {s->output_channels, s->input_channels, s->kernel_height, s->kernel_width};
    dnnl_dims_t bias = {s->output_channels};
    dnnl_format_tag_t images = aqc_prefers_blocks(s) ? dnnl_format_tag_any : dnnl_nhwc;
    dnnl_memory_desc_init_by_tag(&m.source, 4, source, factors, images);
    dnnl_memory_desc_init_by_tag(&m.destination, 4, destination, dnnl_f32, images);
    dnnl_memory_desc_init_by_tag(&m.weights, 4, weights, factors, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&m.bias, 1, bias, dnnl_f32, dnnl_x);
    dnnl_memory_desc_init_by_tag(&m.plain_source, 4, source, dnnl_f32, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&m.plain_destination, 4, destination, dnnl_f32, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&m.plain_weights, 4, weights, dnnl_f32, dnnl_ohwi);
    return m;
}

static inline dnnl_status_t aqc_convolution_forward_descriptor(
    dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, const aqc_convolution_shape *s,
    const aqc_convolution_memory *m, bool bias, aqc_activation activation, bool accumulate) {
    dnnl_dims_t strides = {s->stride, s->stride}, padding = {s->padding, s->padding};
    dnnl_dims_t end = {
        (s->output_height - 1) * s->stride + s->kernel_height - s->height - s->padding,
        (s->output_width - 1) * s->stride + s->kernel_width - s->width - s->padding};
    dnnl_convolution_desc_t convolution;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &convolution, dnnl_forward_training, dnnl_convolution_direct, &m->source, &m->weights,
        bias ? &m->bias : NULL, &m->destination, strides, padding, end);
    if (status != dnnl_success) return status;
    dnnl_post_ops_t operations;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_create(&operations);
    if (accumulate) dnnl_post_ops_append_sum(operations, 1.0f);
    if (activation == aqc_swish) dnnl_post_ops_append_eltwise(operations, 1.0f, dnnl_eltwise_swish, 1.0f, 0.0f);
    if (activation == aqc_relu) dnnl_post_ops_append_eltwise(operations, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
    dnnl_primitive_attr_create(&attributes);
    dnnl_primitive_attr_set_post_ops(attributes, operations);
    status = dnnl_primitive_desc_create(descriptor, &convolution, attributes, engine, NULL);
    dnnl_primitive_attr_destroy(attributes);
    dnnl_post_ops_destroy(operations);
    return status;
}

static inline dnnl_status_t aqc_convolution_backward_descriptor(
    dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, const aqc_convolution_shape *s,
    const aqc_convolution_memory *m, bool weights, dnnl_primitive_desc_t hint) {
    dnnl_dims_t strides = {s->stride, s->stride}, padding = {s->padding, s->padding};
    dnnl_dims_t end = {
        (s->output_height - 1) * s->stride + s->kernel_height - s->height - s->padding,
        (s->output_width - 1) * s->stride + s->kernel_width - s->width - s->padding};
    dnnl_convolution_desc_t convolution;
    dnnl_status_t status =
        weights ? dnnl_convolution_backward_weights_desc_init(
                      &convolution, dnnl_convolution_direct, &m->source, &m->weights, NULL, &m->destination,
                      strides, padding, end)
                : dnnl_convolution_backward_data_desc_init(
                      &convolution, dnnl_convolution_direct, &m->source, &m->weights, &m->destination, strides,
                      padding, end);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(descriptor, &convolution, NULL, engine, hint);
}

static inline dnnl_status_t aqc_reorder_make(
    dnnl_primitive_t *reorder, dnnl_engine_t engine, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to) {
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&descriptor, from, engine, to, engine, NULL);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_create(reorder, descriptor);
    dnnl_primitive_desc_destroy(descriptor);
    return status;
}

static inline dnnl_status_t aqc_buffer_make(
    aqc_buffer *buffer, dnnl_engine_t engine, const dnnl_memory_desc_t *plain, const dnnl_memory_desc_t *wanted) {
    buffer->wanted_bytes = dnnl_memory_desc_get_size(wanted);
    dnnl_status_t status = dnnl_memory_create(&buffer->plain, plain, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) status = dnnl_memory_create(&buffer->wanted, wanted, engine, DNNL_MEMORY_NONE);
    if (status != dnnl_success || dnnl_memory_desc_equal(plain, wanted)) return status;
    status = aqc_reorder_make(&buffer->enter, engine, plain, wanted);
    return status == dnnl_success ? aqc_reorder_make(&buffer->leave, engine, wanted, plain) : status;
}

// The layouts that a primitive chose for its three buffers.
static inline dnnl_status_t aqc_attach_buffers(
    aqc_convolution *plan, dnnl_engine_t engine, const_dnnl_primitive_desc_t chosen,
    const aqc_convolution_memory *m) {
    static const dnnl_query_t names[3][3] = {
        {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};
    const dnnl_query_t *name = names[plan->kind];
    dnnl_status_t status = aqc_buffer_make(
        &plan->source, engine, &m->plain_source, dnnl_primitive_desc_query_md(chosen, name[0], 0));
    if (status == dnnl_success)
        status = aqc_buffer_make(
            &plan->weights, engine, &m->plain_weights, dnnl_primitive_desc_query_md(chosen, name[1], 0));
    if (status == dnnl_success)
        status = aqc_buffer_make(
            &plan->destination, engine, &m->plain_destination, dnnl_primitive_desc_query_md(chosen, name[2], 0));
    return status;
}

// Makes a convolution that multiplies numbers of a type, bfloat16 forward only; NULL with the status if oneDNN has none.
static inline aqc_convolution *aqc_convolution_make(
    dnnl_engine_t engine, aqc_convolution_kind kind, aqc_convolution_shape shape, bool bias,
    aqc_activation activation, bool accumulate, dnnl_data_type_t factors, dnnl_status_t *status) {
    aqc_convolution *plan = (aqc_convolution *)calloc(1, sizeof *plan);
    if (!plan) { *status = dnnl_out_of_memory; return NULL; }
    plan->kind = kind;
    aqc_convolution_memory m = aqc_describe(&shape, factors);
    dnnl_primitive_desc_t forward = NULL, descriptor = NULL;
    *status = aqc_convolution_forward_descriptor(&forward, engine, &shape, &m, bias, activation, accumulate);
    if (*status == dnnl_success && kind != aqc_forward)
        *status = aqc_convolution_backward_descriptor(
            &descriptor, engine, &shape, &m, kind == aqc_backward_weights, forward);
    dnnl_primitive_desc_t chosen = kind == aqc_forward ? forward : descriptor;
    if (*status == dnnl_success) *status = dnnl_primitive_create(&plan->primitive, chosen);
    if (*status == dnnl_success) *status = aqc_attach_buffers(plan, engine, chosen, &m);
    if (*status == dnnl_success && bias)
        *status = dnnl_memory_create(&plan->bias, &m.bias, engine, DNNL_MEMORY_NONE);
    if (forward) dnnl_primitive_desc_destroy(forward);
    if (descriptor) dnnl_primitive_desc_destroy(descriptor);
    if (*status == dnnl_success) return plan;
    aqc_convolution_free(plan);
    return NULL;
}

// Copies a buffer from the plain layout to the primitive's own (enter), or back (leave).
static inline dnnl_status_t aqc_buffer_enter(
    const aqc_buffer *buffer, dnnl_stream_t stream, void *plain, void *wanted) {
    dnnl_memory_set_data_handle(buffer->plain, plain);
    dnnl_memory_set_data_handle(buffer->wanted, wanted);
    dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, buffer->plain}, {DNNL_ARG_TO, buffer->wanted}};
    dnnl_status_t status = dnnl_primitive_execute(buffer->enter, stream, 2, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

static inline dnnl_status_t aqc_buffer_leave(
    const aqc_buffer *buffer, dnnl_stream_t stream, void *wanted, void *plain) {
    dnnl_memory_set_data_handle(buffer->plain, plain);
    dnnl_memory_set_data_handle(buffer->wanted, wanted);
    dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, buffer->wanted}, {DNNL_ARG_TO, buffer->plain}};
    dnnl_status_t status = dnnl_primitive_execute(buffer->leave, stream, 2, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

// Runs a convolution on buffers in the layouts it wants; which of them is written follows from its kind.
static inline dnnl_status_t aqc_convolution_run(
    aqc_convolution *plan, dnnl_stream_t stream, void *source, void *weights, void *destination, void *bias) {
    static const int names[3][3] = {
        {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
        {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
        {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    dnnl_memory_set_data_handle(plan->source.wanted, source);
    dnnl_memory_set_data_handle(plan->weights.wanted, weights);
    dnnl_memory_set_data_handle(plan->destination.wanted, destination);
    dnnl_exec_arg_t arguments[4] = {
        {names[plan->kind][0], plan->source.wanted},
        {names[plan->kind][1], plan->weights.wanted},
        {names[plan->kind][2], plan->destination.wanted}};
    int count = 3;
    if (plan->bias && plan->kind == aqc_forward) {
        dnnl_memory_set_data_handle(plan->bias, bias);
        arguments[count].arg = DNNL_ARG_BIAS;
        arguments[count++].memory = plan->bias;
    }
    dnnl_status_t status = dnnl_primitive_execute(plan->primitive, stream, count, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}
