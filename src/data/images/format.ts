/** The formats that `decode.ts` reads. Among the others that sharp knows, SVG would run a renderer. */
export type ImageFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'TIFF' | 'AVIF';

/** The first bytes of a file as text; `?` for any. */
const SIGNATURES: readonly [ImageFormat, string][] = [
  ['JPEG', '\xff\xd8\xff'],
  ['PNG', '\x89PNG\r\n\x1a\n'],
  ['WebP', 'RIFF????WEBP'],
  ['GIF', 'GIF87a'],
  ['GIF', 'GIF89a'],
  ['TIFF', 'II*\0'],
  ['TIFF', 'MM\0*'],
  ['AVIF', '????ftypavif'],
];

/** The format of a file by its first bytes, regardless of its name; undefined if it is none of these. */
export const formatOf = (bytes: Uint8Array): ImageFormat | undefined =>
  SIGNATURES.find(([, signature]) => startsWith(bytes, signature))?.[0];

const startsWith = (bytes: Uint8Array, signature: string): boolean =>
  [...signature].every((c, i) => c === '?' || bytes[i] === c.charCodeAt(0));
