import { onThemeChange, SERIES_COLORS } from './theme';

/** WCAG's least contrast of a line that one has to see. */
const LEAST = 3;

type Rgb = readonly [number, number, number];

/**
 * Gives the page the colours of series as `--series-blue` … and keeps them so: the theme's chart colours, drawn
 * towards its foreground as far as it takes to stand out. Some themes have an orange that is nearly their background.
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
  const background = painted([variable('editor-background')]);
  const foreground = painted([variable('editor-background'), variable('foreground')]);
  return SERIES_COLORS.map((name) => {
    const own = painted([variable('editor-background'), variable(`charts-${name}`)]);
    return `--series-${name}: rgb(${standingOut(own, foreground, background).join(' ')});`;
  }).join(' ');
}

/** @returns `color`, or the first of its mixtures with `towards` that has enough contrast to `background` */
export function standingOut(color: Rgb, towards: Rgb, background: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = color.map((v, i) => Math.round(v + share * (towards[i] - v))) as unknown as Rgb;
    if (contrast(mixed, background) >= LEAST) return mixed;
  }
  return towards;
}

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** WCAG 2.2's relative luminance. */
function luminance(color: Rgb): number {
  const [r, g, b] = color
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** CSS colours, laid over each other, as bytes. */
function painted(colors: readonly string[]): Rgb {
  const probe = document.createElement('canvas').getContext('2d')!;
  for (const color of colors) {
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
  }
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return [r, g, b];
}
