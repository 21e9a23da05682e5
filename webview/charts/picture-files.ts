import type { Picture, Shape } from './picture';

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

/** A picture as a PNG file with twice the pixels, in Base64. */
export async function pngOf(picture: Picture): Promise<string> {
  const canvas = document.createElement('canvas');
  canvas.width = picture.width * SCALE;
  canvas.height = picture.height * SCALE;
  const ctx = canvas.getContext('2d')!;
  ctx.scale(SCALE, SCALE);
  paint(ctx, picture);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  const bytes = new Uint8Array(await blob!.arrayBuffer());
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192)
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

function paint(
  ctx: CanvasRenderingContext2D,
  { width, height, background, font, shapes, inner }: Picture,
): void {
  ctx.fillStyle = background;
  ctx.fillRect(0, 0, width, height);
  ctx.lineJoin = 'bevel';
  for (const shape of shapes) {
    ctx.save();
    if ('text' in shape) {
      ctx.font = `${shape.bold ? '600 ' : ''}11px ${font}`;
      ctx.fillStyle = shape.color;
      ctx.textAlign = shape.anchor === 'middle' ? 'center' : shape.anchor;
      ctx.fillText(shape.text, shape.x, shape.y);
    } else paintPath(ctx, shape, inner);
    ctx.restore();
  }
}

function paintPath(
  ctx: CanvasRenderingContext2D,
  { path, stroke, width = 1, dash = [], fill, opacity = 1, clipped }: Extract<Shape, { path: string }>,
  inner: Picture['inner'],
): void {
  if (clipped) {
    ctx.beginPath();
    ctx.rect(inner.left, inner.top - 4, inner.width, inner.height + 8);
    ctx.clip();
  }
  const shape = new Path2D(path);
  ctx.globalAlpha = opacity;
  if (fill) {
    ctx.fillStyle = fill;
    ctx.fill(shape, 'evenodd');
  }
  if (!stroke) return;
  ctx.strokeStyle = stroke;
  ctx.lineWidth = width;
  ctx.setLineDash([...dash]);
  ctx.stroke(shape);
}
