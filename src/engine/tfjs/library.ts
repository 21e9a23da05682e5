/**
 * tfjs-core with its gradients, and the backends without native code. The build bundles this file separately, as
 * dist/tfjs.cjs, so that tfjs-core exists once and programs start without it.
 */
// First: the copy that is loaded first defines the class of tensors, and when unbundled, the gradients load a second.
export * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';

export const importCpu = (): Promise<unknown> => import('@tensorflow/tfjs-backend-cpu');
export const importWasm = () => import('@tensorflow/tfjs-backend-wasm');
/** It reads `navigator.gpu` when it is imported. */
export const importWebgpu = () => import('@tensorflow/tfjs-backend-webgpu');
