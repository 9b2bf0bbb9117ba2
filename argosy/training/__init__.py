"""Search, fit, calibrate and export a gradient-boosted classifier on a feature frame."""
