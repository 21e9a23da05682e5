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

/** Operators of quantized models, which TensorFlow.js does not run; `test/unit/graph/quantized` checks them. */
export const QUANTIZED = [
  'com.microsoft.MatMulNBits',
  'com.microsoft.MatMulBnb4',
  'com.microsoft.DynamicQuantizeMatMul',
  'DequantizeLinear',
  'QuantizeLinear',
];
