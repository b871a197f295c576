/* The feed-forward layer's activations and their derivatives. */
#ifndef COSEREC_ACTIVATION_H
#define COSEREC_ACTIVATION_H

#include "vectors.h"

enum { GELU, RELU };

/* x Phi(x) and Phi(x) + x phi(x), for the normal distribution's Phi and phi (Hendrycks and Gimpel 2016).
 *
 * Phi(-a) for a >= 0 is exp(-a^2 / 2) times a smooth function that falls from 1/2 to 0: a polynomial in
 * t = 1 / (1 + c a), fitted to its relative error, is within 9e-8 of it everywhere. One exponential serves both. */
INLINE void gelu(floats x, floats *value, floats *slope) {
    const floats a = pick(x < 0.0f, -x, x), bell = exponential(a * a * -0.5f), t = 1.0f / (1.0f + 0.2335875661f * a);
    floats y = splat(-0.0673838774f);
    y = y * t + 0.228102666f;
    y = y * t - 0.172744428f;
    y = y * t + 0.202095856f;
    y = y * t + 0.02458724f;
    y = y * t + 0.100463814f;
    y = y * t + 0.0916047287f;
    y = y * t + 0.0932739586f;
    const floats tail = y * t * bell, phi = pick(x < 0.0f, tail, 1.0f - tail);
    *value = x * phi;
    *slope = phi + x * bell * 0.3989422804f;
}

INLINE void activate(const int which, floats x, floats *value, floats *slope) {
    if (which == GELU) {
        gelu(x, value, slope);
        return;
    }
    *value = only(~(x <= 0.0f), x); /* what is no number stays none, so that a training which diverges shows it */
    *slope = only(x > 0.0f, splat(1.0f));
}

#endif
