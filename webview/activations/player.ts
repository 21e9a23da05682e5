/** Steps per second at speed 1. */
const STEPS_PER_SECOND = 2;
export const SPEEDS = [0.5, 1, 2, 4, 8];

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
