import { expect, it } from 'vitest';
import { roomFor, type RoomRequest } from '../../../src/sweeps/room';

const GB = 1e9;
const room = (over: Partial<RoomRequest>) =>
  roomFor({
    cores: 8,
    available: 10 * GB,
    memory: 1 * GB,
    asked: undefined,
    threads: 0,
    device: 'cpu',
    gpus: 0,
    trials: 24,
    ...over,
  });

it.each([
  ['one trial per core', {}, { parallel: 8, threads: 1 }],
  [
    'as many trials as fit into memory, with the cores shared',
    { memory: 3 * GB },
    { parallel: 3, threads: 2 },
  ],
  [
    'at least one trial, which reports itself if it does not fit',
    { memory: 40 * GB },
    { parallel: 1, threads: 8 },
  ],
  ['no more trials than there are', { trials: 2 }, { parallel: 2, threads: 4 }],
  ['one trial if the memory is unknown', { memory: undefined }, { parallel: 1, threads: 8 }],
  ['one trial on a GPU', { device: 'cuda' }, { parallel: 1, threads: 8 }],
  ['one trial on each of several GPUs', { device: 'cuda', gpus: 3 }, { parallel: 3, threads: 2 }],
  ['as many trials as requested, also on a GPU', { device: 'cuda', asked: 4 }, { parallel: 4, threads: 2 }],
  ['trials with the requested number of threads', { asked: 4, threads: 3 }, { parallel: 4, threads: 3 }],
  ['as many trials as the requested threads leave cores for', { threads: 3 }, { parallel: 2, threads: 3 }],
])('a sweep runs %s', (_, over, expected) => expect(room(over)).toEqual(expected));
