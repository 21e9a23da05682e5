import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { subjectGeneration } from '../../../../src/tasks/subject-generation';
import { colours, pictureSpec, SD, withInputs } from './support';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'aurora-pictures-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const images = () => join(folder, 'images');
const load = (...set: string[]) => subjectGeneration.load(pictureSpec(folder, ...set), SD);
const PROMPT = 'task.instancePrompt=a sks dog';

describe('a few images of a subject', () => {
  beforeEach(() => colours(images(), 3));

  it('all have the instance prompt, and are measured at fixed timesteps themselves', async () => {
    const { train, validation, resolution, centerCrop } = await load(PROMPT);
    expect(train.dataset.examples.map((e) => [e.row, e.prompt, e.size])).toEqual([
      [0, 'a sks dog', 1],
      [1, 'a sks dog', 1],
      [2, 'a sks dog', 1],
    ]);
    expect(train.rows.at(1)).toMatchObject({ text: 'b.png', line: 2 });
    expect(validation.dataset.examples).toHaveLength(3 * 8);
    expect(validation.dataset.examples.slice(0, 8).map((e) => e.timestep)).toEqual([
      62, 187, 312, 437, 562, 687, 812, 937,
    ]);
    expect(train.dataset.examples[0]!.timestep).toBeUndefined();
    expect([resolution, centerCrop]).toEqual([512, true]);
  });

  it('can be held out in part, or be in another folder', async () => {
    const held = await load(PROMPT, 'data.validationFraction=0.34');
    expect(held.train.dataset.examples).toHaveLength(2);
    expect(held.validation.dataset.examples).toHaveLength(8);
    await colours(join(folder, 'others'), 2);
    const apart = await load(PROMPT, 'data.validation=others');
    expect(apart.train.dataset.examples).toHaveLength(3);
    expect(apart.validation.dataset.examples).toHaveLength(16);
    const alone = await subjectGeneration.loadValidation(
      pictureSpec(folder, PROMPT, 'data.validation=others'),
      SD,
    );
    expect(alone.validation.dataset.examples).toHaveLength(16);
    expect(alone.train.dataset.examples).toEqual([]);
  });

  it('have class images, which have their own prompt', async () => {
    await colours(join(folder, 'class'), 4);
    const { train, validation } = await load(PROMPT, 'data.classImages=class', 'task.classPrompt=a dog');
    const [first, second] = train.dataset.examples;
    expect(first!.classImages!.map((e) => e.prompt)).toEqual(['a dog', 'a dog', 'a dog', 'a dog']);
    expect(second!.classImages).toBe(first!.classImages);
    expect(validation.dataset.examples[0]!.classImages).toBeUndefined();
  });

  it('are larger by default for SDXL', async () => {
    const xl = withInputs('sample', 'timestep', 'encoder_hidden_states', 'text_embeds', 'time_ids');
    const { resolution } = await subjectGeneration.load(pictureSpec(folder, PROMPT), xl);
    expect(resolution).toBe(1024);
  });

  it('name one that is damaged, or leave it out', async () => {
    writeFileSync(join(images(), 'bad.png'), 'no image');
    await expect(load(PROMPT)).rejects.toThrow(/image 3.*bad\.png is not a JPEG/s);
    const { train, validation, warnings } = await load(PROMPT, 'data.onBadRow=skip');
    expect(train.dataset.examples).toHaveLength(3);
    expect(validation.dataset.examples).toHaveLength(24);
    expect(warnings.join()).toMatch('1 row was skipped');
    const held = await load(PROMPT, 'data.onBadRow=skip', 'data.validationFraction=0.34');
    expect(held.train.dataset.examples).toHaveLength(2);
    expect(held.validation.dataset.examples).toHaveLength(8);
    expect(held.warnings.join()).toMatch('1 row was skipped');
  });

  it.each([['data.validation=others'], ['data.classImages=others', 'task.classPrompt=a dog']])(
    'name one that is damaged elsewhere: %s',
    async (...set) => {
      await colours(join(folder, 'others'), 2);
      writeFileSync(join(folder, 'others', 'bad.png'), 'no image');
      await expect(load(PROMPT, ...set)).rejects.toThrow(/others, image 3.*bad\.png is not a JPEG/s);
      const { warnings } = await load(PROMPT, ...set, 'data.onBadRow=skip');
      expect(warnings.join()).toMatch(/1 row was skipped.*bad\.png/);
    },
  );
});

describe('images with captions', () => {
  const prompts = async (...set: string[]) =>
    (await load(...set)).train.dataset.examples.map((e) => e.prompt);
  beforeEach(() => colours(images(), 2));

  it('have them in text files beside them', async () => {
    writeFileSync(join(images(), 'a.txt'), ' a red one\n');
    await expect(load()).rejects.toThrow(/image 2.*b\.png has no caption.*b\.txt/s);
    writeFileSync(join(images(), 'b.txt'), 'a blue one');
    expect(await prompts()).toEqual(['a red one', 'a blue one']);
  });

  it('have them in metadata.jsonl, as the hub’s data sets do', async () => {
    const lines = [
      { file_name: 'b.png', text: 'second' },
      { file_name: 'a.png', text: 'first' },
    ];
    writeFileSync(join(images(), 'metadata.jsonl'), lines.map((l) => JSON.stringify(l)).join('\n'));
    expect(await prompts()).toEqual(['second', 'first']);
    expect((await load()).train.path).toBe(join(images(), 'metadata.jsonl'));
    expect(await prompts(PROMPT)).toEqual(['a sks dog', 'a sks dog']);
  });

  it('have them in a data file', async () => {
    writeFileSync(join(folder, 'captions.csv'), 'picture,caption\nimages/a.png,one\nimages/b.png,two\n');
    const set = ['data.train=captions.csv', 'data.imageColumn=picture', 'data.textColumn=caption'];
    expect(await prompts(...set)).toEqual(['one', 'two']);
    await expect(load('data.train=captions.csv', 'data.imageColumn=picture')).rejects.toThrow(
      'has no column "text"',
    );
  });
});
