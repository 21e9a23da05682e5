import { main } from './lib/console.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureSpam } from './lib/study/study.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/** Fetches and converts the data for the experiments in demo/studies. */
await main(() => {
  ensureDependencies();
  ensureUseLite();
  ensureSpam();
});
