import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  containedName,
  containedTarget,
  isEntryName,
  locate,
  otherHost,
  ownFile,
} from '../../../src/files/contained';
import { hostPathProblems } from '../../../src/runs/experiment/host-paths';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'aurora-contained-')));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let count = 0;
/** A folder with a file beside it that must stay out of reach. */
const folder = (): { root: string; secret: string } => {
  const home = join(top, String(count++));
  const root = join(home, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  const secret = join(home, 'secret');
  writeFileSync(secret, 'secret');
  writeFileSync(join(root, 'w.bin'), 'w');
  writeFileSync(join(root, 'sub', 'v.bin'), 'v');
  return { root, secret };
};

const HOSTILE = [
  '',
  '.',
  '..',
  './',
  '../secret',
  'sub/../../secret',
  'a\\..\\..\\secret',
  '..\\secret',
  '/etc/passwd',
  '\\\\server\\share\\x',
  'C:\\x',
  'c:/x',
  'C:',
  './C:/x',
  'sub/../C:\\x',
  'w.bin\0',
  '\0',
  'sub/..',
  'sub\\..\\..',
  '//x',
  '\\x',
];

describe('a file name read from a file', () => {
  it.each(HOSTILE)('is rejected if it leads out of the folder: %j', (name) => {
    const { root } = folder();
    expect(containedName(name)).toBeUndefined();
    expect(locate(root, name)).toEqual({ is: 'outside' });
    expect(containedTarget(root, name)).toBeUndefined();
    expect(ownFile(root, name)).toBeUndefined();
  });

  it.each([
    ['w.bin', 'w.bin'],
    ['./w.bin', 'w.bin'],
    ['sub/v.bin', 'sub/v.bin'],
    ['sub\\v.bin', 'sub/v.bin'],
    ['sub\\..\\w.bin', 'w.bin'],
    ['sub//v.bin', 'sub/v.bin'],
  ])('is normalized to one spelling: %j', (name, spelled) => {
    const { root } = folder();
    expect(locate(root, name)).toEqual({ is: 'inside', real: join(root, spelled), name: spelled });
    expect(containedTarget(root, name)).toBe(join(root, spelled));
    expect(containedName(spelled)).toBe(spelled);
  });

  it('cannot be a drive, a stream or an alias on Windows', () => {
    for (const name of ['C:x', 'w.bin:stream', 'sub\\.. \\..\\x', 'w.bin.', 'w.bin ', '...'])
      expect([name, containedName(name, 'win32')]).toEqual([name, undefined]);
    expect(containedName('layer:0.bin', 'linux')).toBe('layer:0.bin');
  });

  it('never leads out of its folder and keeps its meaning when read again', () => {
    const { root } = folder();
    const part = fc.constantFrom('..', '.', '', 'sub', 'a', '..a', 'a..', 'C:', '\0', 'ü', ' ');
    const name = fc
      .array(fc.tuple(part, fc.constantFrom('/', '\\', '//', '')), { maxLength: 8 })
      .map((parts) => parts.flat().join(''));
    fc.assert(
      fc.property(name, (text) => {
        const spelled = containedName(text);
        const target = containedTarget(root, text);
        if (spelled === undefined) {
          expect(target).toBeUndefined();
          return;
        }
        expect(containedName(spelled)).toBe(spelled);
        const way = relative(root, target!);
        expect(way === '' || way.split(sep)[0] === '..').toBe(false);
      }),
    );
  });

  it.each(['20261126T061310Z-0a1b2c3d', 'a', '..a', 'ü'])('is a folder entry: %j', (name) => {
    expect(isEntryName(name)).toBe(true);
  });

  it.each([...HOSTILE, 'a/b', 'a\\b', './a', 1, null, undefined, {}])('is not a folder entry: %j', (name) => {
    expect(isEntryName(name)).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('links', () => {
  it('out of the folder are detected, including those on the way to a file', () => {
    const { root, secret } = folder();
    symlinkSync(secret, join(root, 'link'));
    symlinkSync('..', join(root, 'up'));
    for (const name of ['link', 'up/secret', 'up\\secret']) {
      expect(locate(root, name)).toMatchObject({ is: 'linkedOut', real: secret });
      expect(ownFile(root, name)).toBeUndefined();
      expect(containedTarget(root, name)).toBeUndefined();
    }
    expect(containedTarget(root, 'up/new')).toBeUndefined();
    expect(locate(root, 'sub/none')).toEqual({ is: 'missing', path: join(root, 'sub/none') });
  });

  it('to a missing file or to themselves are not followed when writing', () => {
    const { root } = folder();
    symlinkSync('../new', join(root, 'dangling'));
    symlinkSync('loop', join(root, 'loop'));
    for (const name of ['dangling', 'loop', 'dangling/x']) {
      expect(locate(root, name).is).toBe('missing');
      expect(containedTarget(root, name)).toBeUndefined();
    }
  });

  it('within the folder are followed', () => {
    const { root } = folder();
    symlinkSync('sub/v.bin', join(root, 'link'));
    expect(locate(root, 'link')).toEqual({ is: 'inside', real: join(root, 'sub/v.bin'), name: 'link' });
  });

  it('that replace a file are detected at the next lookup and do not change earlier results', () => {
    const { root, secret } = folder();
    const before = ownFile(root, 'sub/v.bin')!;
    rmSync(join(root, 'sub'), { recursive: true });
    mkdirSync(join(root, 'other'));
    writeFileSync(join(root, 'other', 'v.bin'), 'v');
    symlinkSync('..', join(root, 'sub'));
    symlinkSync(secret, join(top, 'v.bin'));
    expect(ownFile(root, 'sub/v.bin')).toBeUndefined();
    expect(before).toBe(join(root, 'sub/v.bin'));
    rmSync(join(top, 'v.bin'));
  });

  describe('in a Hugging Face hub cache', () => {
    const cache = () => {
      const home = join(top, String(count++), 'models--org--name');
      for (const at of ['blobs', 'snapshots/abc/onnx', 'refs'])
        mkdirSync(join(home, at), { recursive: true });
      writeFileSync(join(home, 'blobs', 'f00'), 'blob');
      writeFileSync(join(home, 'refs', 'main'), 'abc');
      return home;
    };

    it('may lead from a snapshot, at any depth, to blobs', () => {
      const home = cache();
      symlinkSync('../../blobs/f00', join(home, 'snapshots/abc/config.json'));
      symlinkSync('../../../blobs/f00', join(home, 'snapshots/abc/onnx/model.onnx_data'));
      for (const [at, name] of [
        ['abc', 'config.json'],
        ['abc/onnx', 'model.onnx_data'],
      ])
        expect(readFileSync(ownFile(join(home, 'snapshots', at), name)!, 'utf8')).toBe('blob');
    });

    it('may not lead anywhere else', () => {
      const home = cache();
      const snapshot = join(home, 'snapshots/abc');
      symlinkSync('../../refs/main', join(snapshot, 'a'));
      symlinkSync('../../../secret', join(snapshot, 'b'));
      writeFileSync(join(home, '../secret'), '');
      for (const name of ['a', 'b']) expect(locate(snapshot, name).is).toBe('linkedOut');
      // A blobs folder that is itself a link to another place.
      rmSync(join(home, 'blobs'), { recursive: true });
      mkdirSync(join(home, '../elsewhere'));
      writeFileSync(join(home, '../elsewhere/f00'), '');
      symlinkSync('../elsewhere', join(home, 'blobs'));
      symlinkSync('../../blobs/f00', join(snapshot, 'c'));
      expect(locate(snapshot, 'c').is).toBe('linkedOut');
    });

    it('may lead on to the store that the repositories of a cache share', () => {
      // huggingface_hub, tests/test_shared_blobs.py: blobs/ETAG -> ../../blobs/cf/XET_HASH
      const cache = join(top, String(count++));
      const repo = join(cache, 'models--org--repo');
      for (const at of [
        'blobs/cf',
        'models--org--repo/blobs',
        'models--org--repo/snapshots/abc',
        'run/snapshots/abc',
      ])
        mkdirSync(join(cache, at), { recursive: true });
      writeFileSync(join(cache, 'blobs/cf/cfab'), 'shared');
      symlinkSync('../../blobs/cf/cfab', join(repo, 'blobs/f00'));
      symlinkSync('../../blobs/f00', join(repo, 'snapshots/abc/model.safetensors'));
      const found = locate(join(repo, 'snapshots/abc'), 'model.safetensors');
      expect(found).toMatchObject({ is: 'inside', real: realpathSync(join(cache, 'blobs/cf/cfab')) });
      // Only a repository of the cache has such a store.
      symlinkSync('../../../blobs/cf/cfab', join(cache, 'run/snapshots/abc/w'));
      expect(locate(join(cache, 'run/snapshots/abc'), 'w')).toMatchObject({ is: 'linkedOut' });
    });

    it('may lead only to blobs of the same cache', () => {
      const { root } = folder();
      mkdirSync(join(root, '../../blobs'), { recursive: true });
      writeFileSync(join(root, '../../blobs/f00'), '');
      symlinkSync('../../blobs/f00', join(root, 'x'));
      expect(locate(root, 'x').is).toBe('linkedOut');
    });
  });
});

describe('paths to other computers', () => {
  const own = 'C:\\work\\lab.aurora.json';

  it.for([
    ['\\\\host\\share\\model.onnx', 'host'],
    ['//host/share/model.onnx', 'host'],
    ['\\/host\\share', 'host'],
    ['\\\\host@SSL\\DavWWWRoot\\x', 'host@SSL'],
    ['\\\\?\\UNC\\host\\share\\x', 'host'],
    ['\\\\.\\unc\\host\\share', 'host'],
    ['\\\\.\\pipe\\name', 'pipe'],
    ['\\\\?\\GLOBALROOT\\Device\\Mup\\host\\share', 'GLOBALROOT'],
  ])('%s leads to %s on Windows', ([path, host]) => {
    expect(otherHost(path!, own, 'win32')).toBe(host);
    // A share that the file is on itself.
    expect(otherHost(path!, path!, 'win32')).toBeUndefined();
    expect(otherHost(path!, '\\\\other\\share\\lab.aurora.json', 'win32')).toBe(host);
    expect(otherHost(path!, own, 'linux')).toBeUndefined();
  });

  it.for([
    'model.onnx',
    'C:\\models\\m.onnx',
    '..\\m.onnx',
    '\\models\\m.onnx',
    '\\\\?\\C:\\m.onnx',
    'a//b',
    'hf://org/name',
  ])('%s does not', (path) => {
    expect(otherHost(path, own, 'win32')).toBeUndefined();
  });
});

describe('an experiment that names another computer', () => {
  it('is a mistake at each of its settings, on Windows', () => {
    const share = '\\\\host\\share\\x';
    const spec = {
      model: { path: share, tokenizer: share, preprocessor: share },
      data: {
        train: share,
        validation: share,
        test: share,
        classImages: share,
        evaluations: { more: { path: share } },
      },
    } as unknown as Parameters<typeof hostPathProblems>[0];
    const problems = hostPathProblems(spec, 'C:\\work', 'win32');
    expect(problems.map(({ path }) => path.join('.'))).toEqual([
      'model.path',
      'model.tokenizer',
      'model.preprocessor',
      'data.train',
      'data.validation',
      'data.test',
      'data.classImages',
      'data.evaluations.more.path',
    ]);
    expect(problems[0]!.message).toMatch(/^model\.path leads to another computer, host: /);
    expect(hostPathProblems(spec, '\\\\HOST\\share', 'win32')).toEqual([]);
    expect(hostPathProblems(spec, '/work', 'linux')).toEqual([]);
  });
});
