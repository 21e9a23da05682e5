/**
 * ONNX Runtime has no float64 kernel for these, so they are compared with PyTorch, not finite differences.
 */
export const FLOAT32_ONLY = [
  ...[
    'Elu',
    'Erf',
    'Gelu',
    'LeakyRelu',
    'Softplus',
    'Selu',
    'Celu',
    'PRelu',
    'HardSigmoid',
    'HardSwish',
    'Mish',
  ],
  ...['Softsign', 'ThresholdedRelu', 'Shrink'],
  ...['Conv', 'ConvTranspose', 'BatchNormalization', 'InstanceNormalization', 'Resize'],
  ...['AveragePool', 'GlobalAveragePool', 'GlobalMaxPool'],
];
