// Loaded before a command: at its end, its CPU time and its peak memory are written to the file in AURORA_BENCH_USED.
const { writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

if (isMainThread)
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const used = { cpuMs: (user + system) / 1000, peakMB: process.resourceUsage().maxRSS / 1024 };
    writeFileSync(process.env.AURORA_BENCH_USED, JSON.stringify(used));
  });
