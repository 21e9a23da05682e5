import { main } from './lib/console.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureSpam } from './lib/study.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/** Fetches and converts what the experiments of demo/studies read. */
await main(() => {
  ensureDependencies();
  ensureUseLite();
  ensureSpam();
});
