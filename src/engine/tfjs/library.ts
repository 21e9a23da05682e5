/**
 * tfjs-core with its gradients, and the backends that need no native part. The build makes a bundle of its own
 * of this file, dist/tfjs.cjs, so that tfjs-core exists once and programs start without it.
 */
// First: tensors are of the class of whichever copy is loaded first, and unbundled, the gradients bring a second.
export * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';

export const importCpu = (): Promise<unknown> => import('@tensorflow/tfjs-backend-cpu');
export const importWasm = () => import('@tensorflow/tfjs-backend-wasm');
/** It looks for `navigator.gpu` when it is imported. */
export const importWebgpu = () => import('@tensorflow/tfjs-backend-webgpu');
