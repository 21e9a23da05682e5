import type { Command } from '../command';
export const exportCommand: Command = { summary: '', help: '', options: {}, run: () => Promise.resolve(1) };
