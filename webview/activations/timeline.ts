import { html, nothing } from 'lit';
import type { ViewMessage } from '../../src/protocol/panels/activations';
import { t } from '../../src/base/l10n';

/** Steps per second at speed 1. */
const STEPS_PER_SECOND = 2;
const SPEEDS = [0.5, 1, 2, 4, 8];

/** Plays snapshots one after the other. Waits for each to be drawn, so that a slow host is never flooded. */
export class Player {
  speed = 1;
  playing = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param next shows the following step; false if there is none */
  constructor(
    private readonly next: () => boolean,
    private readonly changed: () => void,
  ) {}

  play(): void {
    this.playing = true;
    this.changed();
    this.schedule();
  }

  pause(): void {
    this.playing = false;
    clearTimeout(this.timer);
    this.changed();
  }

  /** The requested step has arrived. */
  arrived(): void {
    if (this.playing) this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        if (!this.next()) this.pause();
      },
      1000 / (STEPS_PER_SECOND * this.speed),
    );
  }
}

/** Training time: one tick per snapshot; they need not be evenly spaced in steps. */
export function timeline(
  view: ViewMessage,
  player: Player,
  show: (step: number | 'latest') => void,
  setSpeed: (speed: number) => void,
) {
  const { steps, step, live, following } = view;
  const at = Math.max(0, steps.indexOf(step));
  const pick = (e: Event) => {
    player.pause();
    show(steps[Number((e.target as HTMLInputElement).value)]);
  };
  const toggle = () => {
    if (player.playing) return player.pause();
    if (at === steps.length - 1) show(steps[0]);
    player.play();
  };
  return html`<section class="timeline" aria-label=${t('Training time')}>
    <vscode-button class="play" ?disabled=${steps.length < 2} @click=${toggle}
      >${player.playing ? t('Pause') : t('Play')}</vscode-button
    >
    <input
      type="range"
      min="0"
      max=${steps.length - 1}
      step="1"
      .value=${String(at)}
      ?disabled=${steps.length < 2}
      aria-label=${t('Snapshot step')}
      aria-valuetext=${t('step {0}', step)}
      @input=${pick}
    />
    <output>${t('step {0} ({1} of {2} snapshots)', step, at + 1, steps.length)}</output>
    <label
      >${t('Speed')}
      <select @change=${(e: Event) => setSpeed(Number((e.target as HTMLSelectElement).value))}>
        ${SPEEDS.map((s) => html`<option value=${s} ?selected=${s === player.speed}>${s}×</option>`)}
      </select></label
    >
    ${
      live
        ? html`<vscode-checkbox
            ?checked=${following}
            @change=${(e: Event) => show((e.target as HTMLInputElement).checked ? 'latest' : step)}
            >${t('Follow the run')}</vscode-checkbox
          >`
        : nothing
    }
  </section>`;
}
