import { expect, it } from 'vitest';
import { roomFor, type RoomRequest } from '../../../../src/trainer/sweep/room';

const GB = 1e9;
const room = (over: Partial<RoomRequest>) =>
  roomFor({
    cores: 8,
    available: 10 * GB,
    memory: 1 * GB,
    asked: undefined,
    threads: 0,
    device: 'cpu',
    trials: 24,
    ...over,
  });

it.each([
  ['as many as there are cores', {}, { parallel: 8, threads: 1 }],
  ['as memory allows, with the cores shared', { memory: 3 * GB }, { parallel: 3, threads: 2 }],
  ['at least one, which says itself where it does not fit', { memory: 40 * GB }, { parallel: 1, threads: 8 }],
  ['no more than there are trials', { trials: 2 }, { parallel: 2, threads: 4 }],
  ['one where nothing was measured', { memory: undefined }, { parallel: 1, threads: 8 }],
  ['one on a graphics card', { device: 'cuda' }, { parallel: 1, threads: 8 }],
  ['as many as asked for, also there', { device: 'cuda', asked: 4 }, { parallel: 4, threads: 2 }],
  ['with threads as asked for', { asked: 4, threads: 3 }, { parallel: 4, threads: 3 }],
  ['as the threads asked for share the cores', { threads: 3 }, { parallel: 2, threads: 3 }],
])('there is room for %s', (_, over, expected) => expect(room(over)).toEqual(expected));
