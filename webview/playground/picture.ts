import type { ImageShape, PlayImage } from '../../src/protocol/playground';

/** Bytes converted to characters at once. */
const CHUNK = 0x8000;

/** A picture as the model reads it, and its original size; rejects if it is not an image. */
export async function readPicture(
  file: Blob,
  shape: ImageShape,
): Promise<{ image: PlayImage; from: { width: number; height: number } }> {
  const bitmap = await createImageBitmap(file);
  const { width, height } = shape;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const g = canvas.getContext('2d', { willReadFrequently: true })!;
  // Transparent pixels show the page's background, not black.
  g.fillStyle = 'white';
  g.fillRect(0, 0, width, height);
  g.imageSmoothingQuality = 'high';
  const [w, h] = drawnSize(bitmap, shape);
  g.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
  const from = { width: bitmap.width, height: bitmap.height };
  bitmap.close();
  return { image: { width, height, rgba: base64(g.getImageData(0, 0, width, height).data) }, from };
}

/** All of it resized to the shape, or scaled by its shorter side and cropped to the center. */
function drawnSize({ width, height }: ImageBitmap, shape: ImageShape): [number, number] {
  const { shortestEdge } = shape;
  if (shortestEdge === undefined) return [shape.width, shape.height];
  const scale = shortestEdge / Math.min(width, height);
  return [width * scale, height * scale];
}

function base64(bytes: Uint8ClampedArray): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

/** Draws what the model read. */
export function drawImage(canvas: HTMLCanvasElement, { width, height, rgba }: PlayImage): void {
  Object.assign(canvas, { width, height });
  const bytes = Uint8ClampedArray.from(atob(rgba), (c) => c.charCodeAt(0));
  canvas.getContext('2d')!.putImageData(new ImageData(bytes, width, height), 0, 0);
}

/** The first image among pasted or dropped items. */
export const imageIn = (data: DataTransfer | null): File | undefined =>
  [...(data?.files ?? [])].find((f) => f.type.startsWith('image/')) ?? data?.files[0];
