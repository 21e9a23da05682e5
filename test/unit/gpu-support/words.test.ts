import { describe, expect, test } from 'vitest';
import { judge } from '../../../src/gpu-support/gpu-check';
import type { Download } from '../../../src/gpu-support/hashes';
import { explain } from '../../../src/gpu-support/fetch-packages';
import { dataFolder } from '../../../src/gpu-support/gpu-folders';
import { launcherText, proxies } from '../../../src/gpu-support/script';

const URL = 'https://example.org/a/library.tar.gz';
const download = (d: Partial<Download> = {}): Download => ({ id: '1', url: URL, received: 0, ...d });
const whole = download({ status: 200, received: 100, total: 100, ended: 'whole' });
const why = (said: string, downloads: Download[] = [whole], proxy?: string) =>
  explain({ part: 'tensorflow', downloads, said, end: 'with code 1', proxy });

test('a program by name passes its arguments on, on Windows and elsewhere', () => {
  const command = ['/opt/node', "it's.js"];
  expect(launcherText(command, true)).toBe('@"/opt/node" "it\'s.js" %*\r\n');
  expect(launcherText(command, false)).toBe(`#!/bin/sh\nexec '/opt/node' 'it'\\''s.js' "$@"\n`);
});

describe('the failure of an install script', () => {
  test.each([
    ['Error: getaddrinfo ENOTFOUND example.org', [download()], /^example\.org could not be found\.$/],
    ['Error: getaddrinfo EAI_AGAIN example.org', [], /^the server could not be found\.$/],
    ['connect ECONNREFUSED 1.2.3.4:443', [download()], /^example\.org could not be reached \(ECONNREFUSED\)/],
    [
      '',
      [download({ status: 404, ended: 'whole' })],
      /^The server does not have https:.*library\.tar\.gz \(404\)/,
    ],
    ['', [download({ status: 502, ended: 'whole' })], /^The server responded with 502/],
    [
      'unable to get local issuer certificate',
      [download()],
      /^The certificate of example\.org is not trusted/,
    ],
    ['self-signed certificate in chain', [download()], /certificate of example\.org is not trusted/],
    ['ENOSPC: no space left on device, write', [whole], /^The disk is full/],
    ['Error: incorrect header check', [whole], /is not a valid archive/],
    ['ADM-ZIP: Invalid or unsupported zip format', [whole], /is not a valid archive/],
    ['Error: something new', [whole], /tfjs-node-gpu ended with code 1: Error: something new\.$/],
  ])('is explained: %s', (said, downloads, message) => {
    const error = why(said, downloads);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(/^[A-Z].*\.$/);
  });

  test('has its own kind for a full disk and is a device error otherwise', () => {
    expect(why('EDQUOT').kind).toBe('disk');
    expect(why('anything').kind).toBe('device');
  });

  test('reports how much was received before the connection broke', () => {
    const broken = download({ status: 200, received: 5e6, total: 9e6, ended: 'broken' });
    expect(why('Error: aborted', [broken]).message).toContain('after 5.0 MB of 9.0 MB');
  });

  test('names the proxy without its password', () => {
    const error = why('connect ECONNREFUSED', [], 'http://me:secret@proxy.example:8080');
    expect(error.message).toContain('through the proxy http://proxy.example:8080');
    expect(error.hint).toContain('proxy');
    expect(JSON.stringify([error.message, error.hint])).not.toContain('secret');
  });
});

describe('the reason why an installed part is not usable', () => {
  test.each([
    ['libcudnn.so.9: cannot open shared object file: No such file or directory', 'cuda', 'libcudnn.so.9'],
    ["Could not load dynamic library 'libcudart.so.11.0'; dlerror: …", 'tensorflow', 'libcudart.so.11.0'],
    ["Could not load dynamic library 'cudnn64_8.dll'; dlerror: not found", 'tensorflow', 'cudnn64_8.dll'],
  ] as const)('is a missing NVIDIA library: %s', (error, part, library) => {
    const result = judge(part, error);
    expect(result).toMatchObject({ usable: false });
    expect(result.damaged).toBeUndefined();
    expect(result.problem).toContain(`${library} is missing`);
  });

  test.each([
    '/x/tfjs_binding.node: invalid ELF header',
    '/x/libonnxruntime_providers_cuda.so: file too short',
    'libtensorflow.so.2: cannot open shared object file: No such file or directory',
  ])('is damage to its own files: %s', (error) => {
    expect(judge('tensorflow', error)).toMatchObject({ usable: false, damaged: true });
  });

  test('is neither of these for a missing card or an old driver', () => {
    const result = judge('cuda', 'CUDA failure 100: no CUDA-capable device is detected.');
    expect(result.damaged).toBeUndefined();
    expect(result.problem).toContain('no CUDA-capable device');
    expect(result.hint).toContain('nvidia-smi');
  });
});

describe('a proxy', () => {
  test('set under one name is set under all of them', () => {
    const set = proxies({ https_proxy: 'http://p:1', NO_PROXY: 'x' });
    expect(set).toMatchObject({
      HTTPS_PROXY: 'http://p:1',
      HTTP_PROXY: 'http://p:1',
      GLOBAL_AGENT_HTTPS_PROXY: 'http://p:1',
      GLOBAL_AGENT_NO_PROXY: 'x',
    });
  });

  test('for http is not replaced by the one for https', () =>
    expect(proxies({ HTTPS_PROXY: 'http://s:1', HTTP_PROXY: 'http://h:2' })).toMatchObject({
      HTTPS_PROXY: 'http://s:1',
      HTTP_PROXY: 'http://h:2',
    }));

  test('is not set if none is given', () => expect(proxies({ PATH: '/bin' })).toEqual({}));
});

test('the data folder follows the conventions of each system', () => {
  expect(dataFolder({ XDG_DATA_HOME: '/d' }, 'linux')).toBe('/d/aurora-lab');
  expect(dataFolder({}, 'linux')).toMatch(/\/\.local\/share\/aurora-lab$/);
  expect(dataFolder({ LOCALAPPDATA: '/l' }, 'win32')).toBe('/l/aurora-lab');
  expect(dataFolder({}, 'darwin')).toMatch(/Application Support\/aurora-lab$/);
});
