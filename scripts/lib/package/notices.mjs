import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';

/** Packages of node_modules that were bundled, from esbuild's metafiles. */
export const bundledPackages = (metafiles) =>
  [
    ...new Set(
      metafiles
        .flatMap((m) => Object.keys(m.inputs))
        .map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
        .filter((name) => name !== undefined),
    ),
  ].sort();

/** The text of ThirdPartyNotices.txt: each package with its version and license. */
export function notices(packages, more) {
  const entries = [...packages.map(ofPackage), ...more];
  const unnamed = entries.filter((e) => !e.text.trim());
  if (unnamed.length > 0)
    throw new Failure(`No license text was found for ${unnamed.map((e) => e.name).join(', ')}.`);
  const rule = '-'.repeat(80);
  const head = `AuroRA Lab includes the following third-party software, under the licenses given.\n`;
  return [head, ...entries.map((e) => `${rule}\n${e.name} ${e.version}\n\n${e.text.trim()}\n`)].join('\n');
}

function ofPackage(name) {
  const folder = join(ROOT, 'node_modules', name);
  const { version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((f) => /^(licen[cs]e|copying)(\.|$)/i.test(f));
  // Some packages only name their license; the standard form below then supplies its text.
  const text = file ? readFileSync(join(folder, file), 'utf8') : standard(license, name, author);
  const notice = ['ThirdPartyNotices.txt', 'NOTICE', 'NOTICE.txt']
    .map((f) => join(folder, f))
    .find(existsSync);
  return { name, version, text: notice ? `${text}\n\n${readFileSync(notice, 'utf8')}` : text };
}

function standard(license, name, author) {
  // Parts of it come from Google's protocol buffers, under a second license.
  if (license === '(Apache-2.0 AND BSD-3-Clause)')
    return `${apache()}\n\nCopyright 2008 Google Inc.\n\n${BSD}`;
  if (license === 'Apache-2.0') return apache();
  // tfjs' layers are partly a translation of Keras.
  if (license === 'Apache-2.0 AND MIT')
    return `${apache()}\n\nMIT License\n\nCopyright (c) Google LLC\n\n${MIT}`;
  if (license !== 'MIT') return '';
  const holder = {
    'onnxruntime-node': 'Microsoft Corporation',
    'onnxruntime-common': 'Microsoft Corporation',
  }[name];
  const who = holder ?? (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
  return `MIT License\n\nCopyright (c) ${who}\n\n${MIT}`;
}

const apache = () => readFileSync(join(ROOT, 'LICENSE'), 'utf8');

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.`;

const BSD = `Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:

* Redistributions of source code must retain the above copyright notice, this list of conditions and the
  following disclaimer.
* Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the
  following disclaimer in the documentation and/or other materials provided with the distribution.
* Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote
  products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE
USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`;
