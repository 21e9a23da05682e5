import type { Frame, Page } from 'playwright-core';

/** A text with too little WCAG contrast: below 4.5, or below 3 for large text. */
export interface Faint {
  text: string;
  ratio: number;
  where: string;
}

/**
 * Every low-contrast text of a page, including shadow roots. Disabled controls and screen-reader-only text
 * are skipped.
 */
export const faintTexts = (page: Page | Frame): Promise<Faint[]> =>
  page.evaluate(findFaint, false) as Promise<Faint[]>;

/**
 * The number of texts that `faintTexts` checks, so that a test can tell "none is faint" from "there are
 * none".
 */
export const shownTexts = (page: Page | Frame): Promise<number> =>
  page.evaluate(findFaint, true) as Promise<number>;

/**
 * The contrast of theme colors, given as variables, with the editor's background. WCAG requires 4.5 for text
 * and 3 for lines.
 */
export const contrasts = (page: Page | Frame, colors: readonly string[]): Promise<number[]> =>
  page.evaluate((names) => {
    const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const style = getComputedStyle(document.body);
    const luminance = (...variables: string[]) => {
      for (const variable of variables) {
        probe.fillStyle = style.getPropertyValue(variable);
        probe.fillRect(0, 0, 1, 1);
      }
      const [r, g, b] = [...probe.getImageData(0, 0, 1, 1).data]
        .slice(0, 3)
        .map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const back = luminance('--vscode-editor-background');
    return names.map((name) => {
      const front = luminance('--vscode-editor-background', name);
      return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    });
  }, colors);

/** The number of visible canvases, and how many of them are blank. */
export const canvases = (page: Page | Frame): Promise<{ shown: number; blank: number }> =>
  page.evaluate(() => {
    const all: HTMLCanvasElement[] = [];
    const gather = (root: Document | ShadowRoot) => {
      all.push(...root.querySelectorAll('canvas'));
      for (const e of root.querySelectorAll('*')) if (e.shadowRoot) gather(e.shadowRoot);
    };
    gather(document);
    const shown = all.filter((c) => c.checkVisibility() && c.width > 1 && c.height > 1);
    const isBlank = (c: HTMLCanvasElement) => {
      const { data } = c.getContext('2d')!.getImageData(0, 0, c.width, c.height);
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) return false;
      return true;
    };
    return { shown: shown.length, blank: shown.filter(isBlank).length };
  });

/** Runs in the page. */
function findFaint(count: boolean): Faint[] | number {
  type Rgba = [number, number, number, number];
  const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
  const known = new Map<string, Rgba>();
  const rgba = (css: string): Rgba => {
    const found = known.get(css);
    if (found) return found;
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = 'rgba(0, 0, 0, 0)';
    probe.fillStyle = css;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    const value: Rgba = [r, g, b, a / 255];
    known.set(css, value);
    return value;
  };
  const over = ([r, g, b, a]: Rgba, [R, G, B]: Rgba): Rgba => [
    r * a + R * (1 - a),
    g * a + G * (1 - a),
    b * a + B * (1 - a),
    1,
  ];
  const luminance = ([r, g, b]: Rgba) => {
    const [x, y, z] = [r, g, b]
      .map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const parentOf = (e: Element): Element | null =>
    e.assignedSlot ?? e.parentElement ?? (e.getRootNode() as ShadowRoot).host ?? null;
  const path = (e: Element) => {
    const out: Element[] = [];
    for (let at: Element | null = e; at; at = parentOf(at)) out.push(at);
    return out;
  };
  const editor = rgba(
    getComputedStyle(document.body).getPropertyValue('--vscode-editor-background') || 'white',
  );
  const faint: Faint[] = [];
  let seen = 0;
  const look = (text: string, e: Element, style: CSSStyleDeclaration, pseudo = '') => {
    if (!text.trim() || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return;
    const box = e.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) return;
    const up = path(e);
    const disabled = (a: Element) =>
      a.hasAttribute('disabled') || a.getAttribute('aria-disabled') === 'true' || a.matches(':disabled');
    if (up.some((a) => disabled(a) || a.classList.contains('visually-hidden'))) return;
    seen++;
    let opacity = 1;
    const backs: Rgba[] = [];
    let covered = false;
    for (const a of up) {
      const s = getComputedStyle(a);
      opacity *= Number(s.opacity);
      const back = rgba(s.backgroundColor);
      if (!covered && back[3] > 0) backs.push(back);
      covered ||= back[3] === 1;
    }
    const back = backs.reduceRight((under, layer) => over(layer, under), editor);
    const [r, g, b, alpha] = rgba(e instanceof SVGElement ? style.fill : style.color);
    const front = over([r, g, b, alpha * opacity], back);
    const [x, y] = [luminance(front), luminance(back)];
    const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      const tags = up.slice(0, 4).map((a) => `${a.localName}.${a.getAttribute('class') ?? ''}`);
      faint.push({
        text: text.trim().slice(0, 60),
        ratio: Math.round(ratio * 100) / 100,
        where: `${tags.join(' < ')}${pseudo}`,
      });
    }
  };
  const walk = (root: Document | ShadowRoot | Element) => {
    for (const node of root.childNodes) {
      if (node instanceof Text) {
        // Slotted content inherits colors from the surroundings of its slot, and a slot has no box.
        let e = node.assignedSlot ?? (root instanceof ShadowRoot ? root.host : (root as Element));
        while (getComputedStyle(e).display === 'contents') e = parentOf(e)!;
        look(node.data, e, getComputedStyle(e));
      } else if (node instanceof Element && !/^(script|style|option)$/i.test(node.localName)) {
        if (node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement) {
          const typed = !/^(checkbox|radio|range|hidden)$/.test(node.type);
          if (typed && node.value) look(node.value, node, getComputedStyle(node));
          else if (typed && node.placeholder)
            look(node.placeholder, node, getComputedStyle(node, '::placeholder'), '::placeholder');
        }
        if (node instanceof HTMLSelectElement)
          look(node.selectedOptions[0]?.text ?? '', node, getComputedStyle(node));
        if (node.shadowRoot) walk(node.shadowRoot);
        walk(node);
      }
    }
  };
  walk(document.body);
  return count ? seen : faint;
}
