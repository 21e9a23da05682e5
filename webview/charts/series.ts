import { onThemeChange, SERIES_COLORS } from './theme';

/** WCAG's minimum contrast for a meaningful line. */
const LEAST = 3;

/** Newer high-contrast themes have no orange among their chart colors; every theme has this one. */
const INSTEAD = 'symbolIcon-classForeground';

/** How much of the foreground is in a color's other shade. */
const SHADE = 0.5;

type Rgb = readonly [number, number, number];

/**
 * Sets the page's series colors as `--series-blue` … and keeps them up to date: the theme's chart colors, opaque and
 * mixed with its foreground until they have enough contrast. In some themes, orange is nearly the background color.
 */
export function followSeries(): void {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const dress = () => sheet.replaceSync(`body { ${rules()} }`);
  dress();
  onThemeChange(dress);
}

function rules(): string {
  const style = getComputedStyle(document.body);
  const variable = (name: string) => style.getPropertyValue(`--vscode-${name}`).trim();
  const background = opaque(variable('editor-background'));
  const foreground = opaque(variable('foreground'));
  return SERIES_COLORS.map((name) => {
    const own = variable(`charts-${name}`) || variable(INSTEAD);
    const color = standingOut(opaque(own), foreground, background);
    const shade = mixed(color, foreground, SHADE);
    return `--series-${name}: rgb(${color.join(' ')}); --series-${name}-shade: rgb(${shade.join(' ')});`;
  }).join(' ');
}

/** @returns `color`, or the first of its mixtures with `towards` that has enough contrast to `background` */
export function standingOut(color: Rgb, towards: Rgb, background: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.1) {
    const found = mixed(color, towards, share);
    if (contrast(found, background) >= LEAST) return found;
  }
  return towards;
}

const mixed = (color: Rgb, towards: Rgb, share: number): Rgb =>
  color.map((v, i) => Math.round(v + share * (towards[i] - v))) as unknown as Rgb;

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Relative luminance as defined by WCAG 2.2. */
function luminance(color: Rgb): number {
  const [r, g, b] = color
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** A CSS color as bytes, without its alpha: the editor's color for a mark may be meant to overlay text. */
function opaque(color: string): Rgb {
  const probe = document.createElement('canvas').getContext('2d')!;
  probe.fillStyle = color;
  // The canvas returns #rrggbb for an opaque color and rgba(r, g, b, a) for any other.
  const said = String(probe.fillStyle);
  const [r, g, b] = said.startsWith('#')
    ? [1, 3, 5].map((at) => parseInt(said.slice(at, at + 2), 16))
    : said.match(/[\d.]+/g)!.map(Number);
  return [r, g, b];
}
