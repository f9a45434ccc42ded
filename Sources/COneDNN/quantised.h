// A convolution of unsigned bytes by signed ones: one primitive over channels-last images, its weights reordered once, run on
// buffers of the caller. Values of images are step * (byte - zero), of weights scale * byte; everything of scales folds into
// the primitive's attributes and its bias.
#pragma once

#include "shim.h"

typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t source, weights, destination, bias;
    void *weight_bytes;
    float *bias_values;
} aqc_quantised;

static inline void aqc_quantised_free(aqc_quantised *plan) {
    if (plan->primitive) dnnl_primitive_destroy(plan->primitive);
    if (plan->source) dnnl_memory_destroy(plan->source);
    if (plan->weights) dnnl_memory_destroy(plan->weights);
    if (plan->destination) dnnl_memory_destroy(plan->destination);
    if (plan->bias) dnnl_memory_destroy(plan->bias);
    free(plan->weight_bytes);
    free(plan->bias_values);
    free(plan);
}

typedef struct {
    float step;
    int32_t zero;
} aqc_byte_scale;

// What the bytes of a convolution mean: those of its input, of its output (ignored if that is float32), of the addend that
// lies in the output before (step 0: there is none), and the scale of each output channel's weights.
typedef struct {
    aqc_byte_scale source, destination, addend;
    const float *weights;
    bool to_float;
} aqc_scales;

static inline dnnl_primitive_attr_t aqc_quantised_attributes(
    int64_t outputs, aqc_scales scales, aqc_activation activation) {
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t operations;
    dnnl_primitive_attr_create(&attributes);
    dnnl_post_ops_create(&operations);
    // The activation wants true values and leaves bytes; without one, sums are made in units of the output at once.
    const float unit = scales.to_float ? 1 : 1 / scales.destination.step;
    const float before = activation == aqc_identity ? unit : 1;
    float *factors = (float *)malloc((size_t)outputs * sizeof(float));
    for (int64_t c = 0; factors && c < outputs; c++) factors[c] = scales.source.step * scales.weights[c] * before;
    if (factors) dnnl_primitive_attr_set_output_scales(attributes, outputs, 1 << 1, factors);
    free(factors);
    if (scales.source.zero) dnnl_primitive_attr_set_zero_points(attributes, DNNL_ARG_SRC, 1, 0, &scales.source.zero);
    if (!scales.to_float && scales.destination.zero)
        dnnl_primitive_attr_set_zero_points(attributes, DNNL_ARG_DST, 1, 0, &scales.destination.zero);
    if (scales.addend.step != 0) dnnl_post_ops_append_sum(operations, scales.addend.step * before);
    if (activation == aqc_swish) dnnl_post_ops_append_eltwise(operations, unit, dnnl_eltwise_swish, 1.0f, 0.0f);
    if (activation == aqc_relu) dnnl_post_ops_append_eltwise(operations, unit, dnnl_eltwise_relu, 0.0f, 0.0f);
    dnnl_primitive_attr_set_post_ops(attributes, operations);
    dnnl_post_ops_destroy(operations);
    return attributes;
}

// Brings float32 weights (output, height, width, input) to bytes in the primitive's layout, each output channel by its scale.
static inline dnnl_status_t aqc_quantise_weights(
    aqc_quantised *plan, dnnl_engine_t engine, dnnl_stream_t stream, const dnnl_memory_desc_t *plain,
    const dnnl_memory_desc_t *wanted, const float *scales, void *values) {
    const int64_t outputs = plain->dims[0];
    float *factors = (float *)malloc((size_t)outputs * sizeof(float));
    // Whole cache lines: the kernels load beyond the last byte.
    plan->weight_bytes = aligned_alloc(64, (dnnl_memory_desc_get_size(wanted) + 127) / 64 * 64);
    if (!factors || !plan->weight_bytes) { free(factors); return dnnl_out_of_memory; }
    for (int64_t c = 0; c < outputs; c++) factors[c] = 1 / scales[c];
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_attr_create(&attributes);
    dnnl_primitive_attr_set_output_scales(attributes, outputs, 1 << 0, factors);
    free(factors);
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_memory_t from = NULL;
    dnnl_status_t status =
        dnnl_reorder_primitive_desc_create(&descriptor, plain, engine, wanted, engine, attributes);
    dnnl_primitive_attr_destroy(attributes);
    if (status == dnnl_success) status = dnnl_primitive_create(&reorder, descriptor);
    if (status == dnnl_success) status = dnnl_memory_create(&from, plain, engine, values);
    if (status == dnnl_success) status = dnnl_memory_create(&plan->weights, wanted, engine, plan->weight_bytes);
    if (status == dnnl_success) {
        dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, plan->weights}};
        status = dnnl_primitive_execute(reorder, stream, 2, arguments);
    }
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
    if (from) dnnl_memory_destroy(from);
    if (reorder) dnnl_primitive_destroy(reorder);
    if (descriptor) dnnl_primitive_desc_destroy(descriptor);
    return status;
}

static inline dnnl_status_t aqc_quantised_prepare(
    aqc_quantised *plan, dnnl_engine_t engine, dnnl_stream_t stream, const aqc_convolution_shape *s,
    aqc_scales scales, aqc_activation activation, void *weights, const float *bias) {
    dnnl_dims_t source = {s->batch, s->input_channels, s->height, s->width};
    dnnl_dims_t destination = {s->batch, s->output_channels, s->output_height, s->output_width};
    dnnl_dims_t kernel = {s->output_channels, s->input_channels, s->kernel_height, s->kernel_width};
    dnnl_dims_t outputs = {s->output_channels};
    dnnl_dims_t strides = {s->stride, s->stride}, padding = {s->padding, s->padding};
    dnnl_dims_t end = {
        (s->output_height - 1) * s->stride + s->kernel_height - s->height - s->padding,
        (s->output_width - 1) * s->stride + s->kernel_width - s->width - s->padding};
    dnnl_memory_desc_t of_source, of_weights, plain_weights, of_destination, of_bias;
    dnnl_memory_desc_init_by_tag(&of_source, 4, source, dnnl_u8, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&of_destination, 4, destination, scales.to_float ? dnnl_f32 : dnnl_u8, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&of_weights, 4, kernel, dnnl_s8, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&plain_weights, 4, kernel, dnnl_f32, dnnl_ohwi);
    dnnl_memory_desc_init_by_tag(&of_bias, 1, outputs, dnnl_f32, dnnl_x);
    dnnl_convolution_desc_t convolution;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &convolution, dnnl_forward_inference, dnnl_convolution_direct, &of_source, &of_weights, &of_bias,
        &of_destination, strides, padding, end);
    if (status != dnnl_success) return status;
    dnnl_primitive_attr_t attributes = aqc_quantised_attributes(s->output_channels, scales, activation);
    dnnl_primitive_desc_t descriptor = NULL;
    status = dnnl_primitive_desc_create(&descriptor, &convolution, attributes, engine, NULL);
    dnnl_primitive_attr_destroy(attributes);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_create(&plan->primitive, descriptor);
    if (status == dnnl_success)
        status = aqc_quantise_weights(
            plan, engine, stream, &plain_weights, dnnl_primitive_desc_query_md(descriptor, dnnl_query_weights_md, 0),
            scales.weights, weights);
    dnnl_primitive_desc_destroy(descriptor);
    // oneDNN scales the bias with the products, so it is given in their units; the zero of the addend goes with it.
    const float start = scales.addend.step * (float)scales.addend.zero;
    plan->bias_values = (float *)malloc((size_t)s->output_channels * sizeof(float));
    if (!plan->bias_values) return dnnl_out_of_memory;
    for (int64_t c = 0; c < s->output_channels; c++)
        plan->bias_values[c] = (bias[c] - start) / (scales.source.step * scales.weights[c]);
    if (status == dnnl_success) status = dnnl_memory_create(&plan->bias, &of_bias, engine, plan->bias_values);
    if (status == dnnl_success) status = dnnl_memory_create(&plan->source, &of_source, engine, DNNL_MEMORY_NONE);
    return status == dnnl_success
        ? dnnl_memory_create(&plan->destination, &of_destination, engine, DNNL_MEMORY_NONE)
        : status;
}

// Makes a convolution of bytes; NULL with the status if oneDNN has none. Weights and bias are copied.
static inline aqc_quantised *aqc_quantised_make(
    dnnl_engine_t engine, dnnl_stream_t stream, aqc_convolution_shape shape, aqc_scales scales,
    aqc_activation activation, const float *weights, const float *bias, dnnl_status_t *status) {
    aqc_quantised *plan = (aqc_quantised *)calloc(1, sizeof *plan);
    if (!plan) { *status = dnnl_out_of_memory; return NULL; }
    *status = aqc_quantised_prepare(plan, engine, stream, &shape, scales, activation, (void *)weights, bias);
    if (*status == dnnl_success) return plan;
    aqc_quantised_free(plan);
    return NULL;
}

static inline dnnl_status_t aqc_quantised_run(
    aqc_quantised *plan, dnnl_stream_t stream, const void *source, void *destination) {
    dnnl_memory_set_data_handle(plan->source, (void *)source);
    dnnl_memory_set_data_handle(plan->destination, destination);
    dnnl_exec_arg_t arguments[4] = {
        {DNNL_ARG_SRC, plan->source}, {DNNL_ARG_WEIGHTS, plan->weights}, {DNNL_ARG_BIAS, plan->bias},
        {DNNL_ARG_DST, plan->destination}};
    dnnl_status_t status = dnnl_primitive_execute(plan->primitive, stream, 4, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}
