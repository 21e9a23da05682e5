export function ensureOnnxRuntimeWeb(): string;
