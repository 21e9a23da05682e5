/**
 * tfjs-core with its gradients, and the backends without native code. The build bundles this file separately, as
 * dist/tfjs.cjs, so that tfjs-core exists once and programs start without it.
 */
// First: tensors are of the class of whichever copy is loaded first, and when unbundled, the gradients bring a second.
export * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';

export const importCpu = (): Promise<unknown> => import('@tensorflow/tfjs-backend-cpu');
export const importWasm = () => import('@tensorflow/tfjs-backend-wasm');
/** It looks for `navigator.gpu` when it is imported. */
export const importWebgpu = () => import('@tensorflow/tfjs-backend-webgpu');
