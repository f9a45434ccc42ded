// oneDNN 2.6 describes tensors with structs that hold fixed C arrays, which Swift sees as long tuples. These shims
// make one convolution (forward, data gradient or weight gradient) over NHWC tensors and run it; nothing else.
#pragma once

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// libgomp's own entry point to the pool that oneDNN uses; omp.h belongs to the compiler, not to the library.
extern void omp_set_num_threads(int threads);

typedef enum { aqc_forward, aqc_backward_data, aqc_backward_weights } aqc_convolution_kind;

typedef struct {
    int64_t batch, height, width, input_channels;
    int64_t output_height, output_width, output_channels;
    int64_t kernel_height, kernel_width, stride, padding;
} aqc_convolution_shape;

typedef enum { aqc_identity, aqc_swish, aqc_relu } aqc_activation;

typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t source, weights, destination, bias;
    dnnl_memory_t plain_weights;
    dnnl_primitive_t reorder;  // plain -> blocked, or back for a weight gradient; NULL if the layouts agree
    size_t weights_bytes;      // of the layout the primitive wants
    aqc_convolution_kind kind;
} aqc_convolution;

static inline void aqc_convolution_free(aqc_convolution *plan) {
    if (plan->primitive) dnnl_primitive_destroy(plan->primitive);
    if (plan->reorder) dnnl_primitive_destroy(plan->reorder);
    if (plan->source) dnnl_memory_destroy(plan->source);
    if (plan->weights) dnnl_memory_destroy(plan->weights);
    if (plan->destination) dnnl_memory_destroy(plan->destination);
    if (plan->bias) dnnl_memory_destroy(plan->bias);
    if (plan->plain_weights) dnnl_memory_destroy(plan->plain_weights);
    free(plan);
}

// The four memory descriptions of a convolution; the weights' layout is left to oneDNN.
typedef struct {
    dnnl_memory_desc_t source, weights, destination, bias, plain;
} aqc_convolution_memory;

static inline aqc_convolution_memory aqc_describe(const aqc_convolution_shape *s) {
    aqc_convolution_memory m;
    dnnl_dims_t source = {s->batch, s->input_channels, s->height, s->width};
    dnnl_dims_t destination = {s->batch, s->output_channels, s->output_height, s->output_width};
    dnnl_dims_t weights = {s->output_channels, s->input_channels, s->kernel_height, s->kernel_width};
    dnnl_dims_t bias = {s->output_channels};
    dnnl_memory_desc_init_by_tag(&m.source, 4, source, dnnl_f32, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&m.destination, 4, destination, dnnl_f32, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&m.weights, 4, weights, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&m.plain, 4, weights, dnnl_f32, dnnl_ohwi);
    dnnl_memory_desc_init_by_tag(&m.bias, 1, bias, dnnl_f32, dnnl_x);
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

// Attaches the reorder between the plain layout (OHWI) and the one the primitive wants, if they differ.
static inline dnnl_status_t aqc_attach_reorder(
    aqc_convolution *plan, dnnl_engine_t engine, const dnnl_memory_desc_t *plain,
    const dnnl_memory_desc_t *wanted) {
    plan->weights_bytes = dnnl_memory_desc_get_size(wanted);
    if (dnnl_memory_desc_equal(plain, wanted)) return dnnl_success;
    bool back = plan->kind == aqc_backward_weights;
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(
        &descriptor, back ? wanted : plain, engine, back ? plain : wanted, engine, NULL);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_create(&plan->reorder, descriptor);
    dnnl_primitive_desc_destroy(descriptor);
    return status;
}

// Makes a convolution; NULL with the status if oneDNN has none for this shape.
static inline aqc_convolution *aqc_convolution_make(
    dnnl_engine_t engine, aqc_convolution_kind kind, aqc_convolution_shape shape, bool bias,
    aqc_activation activation, bool accumulate, dnnl_status_t *status) {
    aqc_convolution *plan = (aqc_convolution *)calloc(1, sizeof *plan);
    if (!plan) { *status = dnnl_out_of_memory; return NULL; }
    plan->kind = kind;
    aqc_convolution_memory m = aqc_describe(&shape);
    dnnl_primitive_desc_t forward = NULL, descriptor = NULL;
    *status = aqc_convolution_forward_descriptor(&forward, engine, &shape, &m, bias, activation, accumulate);
    if (*status == dnnl_success && kind != aqc_forward)
        *status = aqc_convolution_backward_descriptor(
            &descriptor, engine, &shape, &m, kind == aqc_backward_weights, forward);
    dnnl_primitive_desc_t chosen = kind == aqc_forward ? forward : descriptor;
    if (*status == dnnl_success) *status = dnnl_primitive_create(&plan->primitive, chosen);
    if (*status == dnnl_success) {
        const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(
            chosen, kind == aqc_backward_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
        *status = aqc_attach_reorder(plan, engine, &m.plain, wanted);
        dnnl_memory_create(&plan->weights, wanted, engine, DNNL_MEMORY_NONE);
        dnnl_memory_create(&plan->plain_weights, &m.plain, engine, DNNL_MEMORY_NONE);
        dnnl_memory_create(&plan->source, &m.source, engine, DNNL_MEMORY_NONE);
        dnnl_memory_create(&plan->destination, &m.destination, engine, DNNL_MEMORY_NONE);
        if (bias) dnnl_memory_create(&plan->bias, &m.bias, engine, DNNL_MEMORY_NONE);
    }
    if (forward) dnnl_primitive_desc_destroy(forward);
    if (descriptor) dnnl_primitive_desc_destroy(descriptor);
    if (*status == dnnl_success) return plan;
    aqc_convolution_free(plan);
    return NULL;
}

// Copies weights between the plain layout and the primitive's own.
static inline dnnl_status_t aqc_convolution_reorder(
    aqc_convolution *plan, dnnl_stream_t stream, void *plain, void *blocked) {
    dnnl_memory_set_data_handle(plan->plain_weights, plain);
    dnnl_memory_set_data_handle(plan->weights, blocked);
    bool back = plan->kind == aqc_backward_weights;
    dnnl_exec_arg_t arguments[2] = {
        {DNNL_ARG_FROM, back ? plan->weights : plan->plain_weights},
        {DNNL_ARG_TO, back ? plan->plain_weights : plan->weights}};
    dnnl_status_t status = dnnl_primitive_execute(plan->reorder, stream, 2, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

// Runs a convolution; which of the buffers is written follows from its kind.
static inline dnnl_status_t aqc_convolution_run(
    aqc_convolution *plan, dnnl_stream_t stream, void *source, void *weights, void *destination, void *bias) {
    static const int names[3][3] = {
        {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
        {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
        {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    dnnl_memory_set_data_handle(plan->source, source);
    dnnl_memory_set_data_handle(plan->weights, weights);
    dnnl_memory_set_data_handle(plan->destination, destination);
    dnnl_exec_arg_t arguments[4] = {
        {names[plan->kind][0], plan->source},
        {names[plan->kind][1], plan->weights},
        {names[plan->kind][2], plan->destination}};
    int count = 3;
    if (plan->bias && plan->kind == aqc_forward) {
        dnnl_memory_set_data_handle(plan->bias, bias);
        arguments[count].arg = DNNL_ARG_BIAS;
        arguments[count++].memory = plan->bias;
    }
    dnnl_status_t status = dnnl_primitive_execute(plan->primitive, stream, count, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}
