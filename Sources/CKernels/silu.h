// x * sigmoid(x) in vectors of 16, for files that are compiled for AVX-512 (AQC_INLINE).
#pragma once

// For results of 8 bits: sigmoid's e^-x is 2^-(x log2 e) by its whole and its fractional part, some 1e-4 of
// it off; it overflows to infinity, whose reciprocal is 0.
AQC_INLINE __m512 silu_for_bytes(__m512 x) {
    const __m512 t = _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f));
    const __m512 f = _mm512_reduce_ps(t, _MM_FROUND_TO_NEG_INF);
    __m512 p = _mm512_set1_ps(0.0779801f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.2260671f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.6959573f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.9999030f));
    const __m512 e = _mm512_scalef_ps(p, t);
    return _mm512_mul_ps(x, _mm512_rcp14_ps(_mm512_add_ps(e, _mm512_set1_ps(1.0f))));
}

// As exact as float32 allows: a polynomial of degree six instead of three, and a step of Newton for the reciprocal.
AQC_INLINE __m512 silu_for_floats(__m512 x) {
    const __m512 t = _mm512_max_ps(_mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f)), _mm512_set1_ps(-126.0f));
    const __m512 kept = _mm512_min_ps(t, _mm512_set1_ps(126.0f));
    // What is left of the rounded exponent, from the fraction nearest 0, times ln 2.
    const __m512 f = _mm512_mul_ps(_mm512_reduce_ps(kept, _MM_FROUND_TO_NEAREST_INT), _mm512_set1_ps(0.693147181f));
    __m512 p = _mm512_set1_ps(1.0f / 720);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
    const __m512 whole = _mm512_roundscale_ps(kept, _MM_FROUND_TO_NEAREST_INT);
    const __m512 d = _mm512_add_ps(_mm512_scalef_ps(p, whole), _mm512_set1_ps(1.0f));
    const __m512 r = _mm512_rcp14_ps(d);
    return _mm512_mul_ps(x, _mm512_mul_ps(r, _mm512_fnmadd_ps(d, r, _mm512_set1_ps(2.0f))));
}
