import type { Picture, Shape } from './chart-picture';

/** Pixels of a PNG for each CSS pixel. */
const SCALE = 2;

/** A picture as SVG that stands alone: its colors and texts are in it, and it names no file. */
export function svgOf({ width, height, background, font, title, shapes, inner }: Picture): string {
  const clip = `<clipPath id="inner"><rect x="${inner.left}" y="${inner.top - 4}" width="${inner.width}" height="${inner.height + 8}"/></clipPath>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${escaped(`${font}, sans-serif`)}" font-size="11">`,
    `<title>${escaped(title)}</title>`,
    `<defs>${clip}</defs>`,
    `<rect width="${width}" height="${height}" fill="${escaped(background)}"/>`,
    ...shapes.map(element),
    '</svg>',
    '',
  ].join('\n');
}

function element(shape: Shape): string {
  if ('text' in shape) {
    const { text, x, y, color, anchor, bold } = shape;
    const weight = bold ? ' font-weight="600"' : '';
    return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${escaped(color)}" text-anchor="${anchor}"${weight}>${escaped(text)}</text>`;
  }
  const { path, stroke, width, dash, fill, opacity = 1, clipped } = shape;
  return [
    `<path d="${path}" fill="${escaped(fill ?? 'none')}"`,
    stroke
      ? ` stroke="${escaped(stroke)}" stroke-width="${width}" stroke-linejoin="bevel"`
      : ' fill-rule="evenodd"',
    dash?.length ? ` stroke-dasharray="${dash.join(' ')}"` : '',
    opacity < 1 ? ` opacity="${opacity}"` : '',
    clipped ? ' clip-path="url(#inner)"' : '',
    '/>',
  ].join('');
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** An SVG as a PNG file with twice the pixels, in Base64. It must stand alone. @param size in CSS pixels */
export async function pngOf(svg: string, size: { width: number; height: number }): Promise<string> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(size.width * SCALE);
  canvas.height = Math.round(size.height * SCALE);
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png').replace(/^[^,]*,/, '');
}
