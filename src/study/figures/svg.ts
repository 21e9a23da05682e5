import type { Figure, Point, Shape } from './figure';

export type SvgTheme = 'light' | 'dark';

/** CSS of a figure's classes, and the differences on a dark background. */
export interface SvgStyle {
  light: string;
  dark: string;
}

/**
 * A figure as a standalone SVG file. It includes a background, so that it is readable on any page.
 *
 * @param style of classes that only this figure has
 * @param theme by default, the reader's
 */
export function svgText(
  { width, height, title, summary, shapes }: Figure,
  style: SvgStyle = { light: '', dark: '' },
  theme?: SvgTheme,
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escape(title)}</title>`,
    `<desc id="d">${escape(summary)}</desc>`,
    `<style>${cssOf(STYLE, theme)}${cssOf(style, theme)}</style>`,
    `<rect class="ground" width="100%" height="100%"/>`,
    ...shapes.map(element),
    '</svg>',
    '',
  ].join('\n');
}

const cssOf = ({ light, dark }: SvgStyle, theme: SvgTheme | undefined): string =>
  theme === 'light' || dark === ''
    ? light
    : light + (theme === 'dark' ? dark : `@media (prefers-color-scheme:dark){${dark}}`);

function element(s: Shape): string {
  switch (s.kind) {
    case 'line':
      return `<line class="${s.class}" x1="${n(s.x1)}" y1="${n(s.y1)}" x2="${n(s.x2)}" y2="${n(s.y2)}"/>`;
    case 'path':
      return `<path class="${s.class}" d="${pathData(s.points, s.closed)}"/>`;
    case 'circle':
      return `<circle class="${s.class}" cx="${n(s.x)}" cy="${n(s.y)}" r="${n(s.r)}"/>`;
    case 'rect':
      return `<rect class="${s.class}" x="${n(s.x)}" y="${n(s.y)}" width="${n(s.width)}" height="${n(s.height)}"/>`;
    case 'text':
      return `<text class="${s.class}" x="${n(s.x)}" y="${n(s.y)}" text-anchor="${s.anchor}">${escape(s.text)}</text>`;
  }
}

/** The `d` attribute of a path. */
export const pathData = (points: readonly Point[], closed = false): string =>
  `M${points.map(([x, y]) => `${n(x)} ${n(y)}`).join('L')}${closed ? 'Z' : ''}`;

/** A hundredth of a pixel is enough. */
const n = (value: number): string => String(Math.round(value * 100) / 100);

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** Okabe and Ito's color-blind-safe palette, darkened or lightened for each background. */
const LIGHT = ['#0072b2', '#b35400', '#00775a', '#a4508b', '#c0392b', '#8a6d00'];
const DARK = ['#56b4e9', '#e69f00', '#2fc39a', '#e09bc6', '#ff8a70', '#f0e442'];

const series = (colors: readonly string[]): string =>
  colors.map((c, i) => `.series-${i}{color:${c}}`).join('');

const STYLE: SvgStyle = {
  light: [
    `svg{color:#1f2328;font:11px system-ui,sans-serif}`,
    `.ground{fill:#fff}text{fill:currentColor}.mark{fill-opacity:.75}`,
    `.grid{stroke:currentColor;stroke-opacity:.15}.axis{stroke:currentColor;stroke-opacity:.6}`,
    `.leader{fill:none;stroke:currentColor;stroke-opacity:.4}`,
    `.whisker{stroke:currentColor;stroke-width:1.3}`,
    `.curve{fill:none;stroke:currentColor;stroke-width:2}.curve.thin{stroke-width:1;stroke-opacity:.3}`,
    `.dash-1{stroke-dasharray:8 4}.dash-2{stroke-dasharray:2 3}.dash-3{stroke-dasharray:10 3 2 3}.dash-4{stroke-dasharray:5 5}`,
    `.dot{fill:currentColor;stroke:currentColor;stroke-width:1.5}.dot.hollow{fill:#fff}.dot.thin{fill-opacity:.4;stroke:none}`,
    `.bar{fill:currentColor;fill-opacity:.55;stroke:currentColor}`,
    series(LIGHT),
  ].join(''),
  dark: `svg{color:#e6edf3}.ground{fill:#0d1117}.dot.hollow{fill:#0d1117}${series(DARK)}`,
};
