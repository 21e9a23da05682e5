/**
 * Scales all gradients so that their joint L2 norm is at most `max` (torch.nn.utils.clip_grad_norm_); 0 for no
 * clipping. Returns the norm before clipping. If the norm is not finite, the gradients stay unchanged, so that the
 * tensor at fault can still be found.
 */
export function clipByGlobalNorm(grads: ReadonlyMap<string, Float32Array>, max: number): number {
  let squares = 0;
  for (const g of grads.values()) for (let i = 0; i < g.length; i++) squares += g[i] * g[i];
  const norm = Math.sqrt(squares);
  const coefficient = Math.fround(max / (norm + 1e-6));
  if (max > 0 && Number.isFinite(norm) && coefficient < 1)
    for (const g of grads.values()) for (let i = 0; i < g.length; i++) g[i] *= coefficient;
  return norm;
}
