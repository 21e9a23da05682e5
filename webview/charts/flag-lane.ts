import { FLAG_ICONS } from './flag-icons';
import { layoutFlags, type Flag } from './flag-layout';
import type { Mark } from './marks';

/** Distance between two flags in CSS pixels: the width of one with a count, and a gap. */
const SIZE = 32;
/** Events that are told in full; the rest is a number. */
const MOST_TOLD = 12;

/** Words that the page translates. */
export interface FlagWords {
  /** "and 7 more" */
  more(count: number): string;
  /** "3 events" */
  several(count: number): string;
}

/**
 * The flags above a chart. Hovering or focusing one tells its events; arrow keys move between flags, of which one is in
 * the tab order. Elements are kept and moved, so that a chart that grows takes no focus away.
 */
export class FlagLane {
  private readonly buttons: HTMLButtonElement[] = [];
  private flags: Flag[] = [];
  private readonly tip = document.createElement('ul');
  private told: number | undefined;

  constructor(
    private readonly lane: HTMLElement,
    private readonly words: FlagWords,
    private readonly onPick: (x: number) => void,
  ) {
    this.tip.className = 'flag-tip';
    this.tip.hidden = true;
    // The buttons' names have the same words.
    this.tip.setAttribute('aria-hidden', 'true');
    lane.append(this.tip);
    lane.addEventListener('keydown', (e) => this.onKey(e));
  }

  /** @param left where the axis begins in the lane, and `width` how long it is, in CSS pixels */
  place(marks: readonly Mark[], project: (x: number) => number, left: number, width: number): void {
    this.flags = layoutFlags(marks, project, width, SIZE);
    while (this.buttons.length < this.flags.length) this.buttons.push(this.makeButton(this.buttons.length));
    this.buttons.forEach((button, i) => {
      const flag = this.flags[i];
      button.hidden = flag === undefined;
      if (flag) dress(button, flag, left, this.nameOf(flag));
    });
    if (!this.buttons.some((b) => b.tabIndex === 0 && !b.hidden) && this.flags.length > 0) this.enter(0);
    if (this.told !== undefined) this.tell(this.told);
  }

  /** With the number that it shows, so that it can be called by what is seen. */
  private nameOf(flag: Flag): string {
    const { length } = flag.marks;
    return [...(length > 1 ? [this.words.several(length)] : []), ...this.textsOf(flag)].join('. ');
  }

  private textsOf({ marks }: Flag): string[] {
    const texts = marks.map(({ text, label }) => text ?? label ?? '');
    if (texts.length <= MOST_TOLD) return texts;
    return [...texts.slice(0, MOST_TOLD - 1), this.words.more(texts.length - MOST_TOLD + 1)];
  }

  private makeButton(i: number): HTMLButtonElement {
    const button = document.createElement('button');
    button.tabIndex = -1;
    button.addEventListener('mouseenter', () => this.tell(i));
    button.addEventListener('mouseleave', () => this.tell(undefined));
    button.addEventListener('focus', () => {
      this.enter(i);
      this.tell(i);
    });
    button.addEventListener('blur', () => this.tell(undefined));
    button.addEventListener('click', () => this.onPick(this.flags[i].marks[0].x));
    this.lane.insertBefore(button, this.tip);
    return button;
  }

  private enter(i: number): void {
    this.buttons.forEach((button, at) => (button.tabIndex = at === i ? 0 : -1));
  }

  private tell(i: number | undefined): void {
    const flag = i === undefined ? undefined : this.flags[i];
    this.told = flag && i;
    this.tip.hidden = !flag;
    if (!flag) return;
    this.tip.replaceChildren(
      ...this.textsOf(flag).map((text) => {
        const line = document.createElement('li');
        line.textContent = text;
        return line;
      }),
    );
    const { offsetLeft } = this.buttons[i!];
    const room = this.lane.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(offsetLeft, room))}px`;
  }

  private onKey(e: KeyboardEvent): void {
    const at = this.buttons.indexOf(e.target as HTMLButtonElement);
    const last = this.flags.length - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[e.key];
    if (e.key === 'Escape') return this.tell(undefined);
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    this.buttons[Math.min(Math.max(to, 0), last)].focus();
  }
}

function dress(button: HTMLButtonElement, { kind, marks, left }: Flag, from: number, name: string): void {
  const looks = `flag flag-${kind}${marks.length > 1 ? ' several' : ''}`;
  const key = `${looks} ${marks.length}`;
  if (button.dataset.key !== key) {
    button.dataset.key = key;
    button.className = looks;
    button.replaceChildren(icon(FLAG_ICONS[kind]), ...(marks.length > 1 ? [count(marks.length)] : []));
  }
  button.setAttribute('aria-label', name);
  button.style.left = `${from + left}px`;
}

function icon(path: string): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 12 12');
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  shape.setAttribute('d', path);
  shape.setAttribute('fill-rule', 'evenodd');
  svg.append(shape);
  return svg;
}

function count(n: number): HTMLElement {
  const element = document.createElement('span');
  element.className = 'count';
  element.textContent = String(n);
  return element;
}
