import { describe, expect, it } from 'vitest';
import { readRows, type ReadOptions } from '../../../../src/data/table/rows';
import { readDataHead } from '../../../../src/extension/language/data-head';
import { temporaryFolder } from '../support';

const folder = temporaryFolder();

/** The layout of each of GLUE's own files, with other sentences: tabs, no quoting, and whatever quotes the texts have. */
interface Layout {
  header?: string;
  rows: string[];
  text: string;
  pair?: string;
  label: string;
}

const LAYOUTS: Record<string, Layout> = {
  'CoLA, which has no header': {
    rows: [
      'ab01\t1\t\tThe cat that "they fed slept.',
      'ab01\t0\t*\tThe cat that fed "they" slept.',
      'cd02\t1\t\t"Sit down, said the clerk.',
      'cd02\t0\t*\tWho did the clerk say "sit down?"',
    ],
    text: '4',
    label: '2',
  },
  'SST-2': {
    header: 'sentence\tlabel',
    rows: ['" a film that never \t0', 'wakes up " \t0', "warm , funny and `` true '' \t1", '" \t1'],
    text: 'sentence',
    label: 'label',
  },
  MRPC: {
    header: '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String',
    rows: [
      '1\t101\t102\t"The bridge is safe , " the mayor said .\tThe mayor called the bridge safe .',
      '0\t103\t104\t"The bridge is safe\tNothing was said about the bridge .',
      '1\t105\t106\tNothing was said about the bridge"\tNo word was said on the bridge .',
      '1\t107\t108\tThe 5" pipe burst .\t"A pipe of 5" burst .',
    ],
    text: '#1 String',
    pair: '#2 String',
    label: 'Quality',
  },
  'STS-B, which has columns that are not used': {
    header: 'index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore',
    rows: [
      '0\tnews\tmade\t2031\t0001\tnone\tnone\tA dog runs.\tA dog is running.\t4.800',
      '1\tnews\tmade\t2031\t0002\tnone\tnone\t"A dog runs.\tA ball "rolls" away."\t0.400',
      '2\tforum\tmade\t2031\t0003\tnone\tnone\tA ball rolls."\t"\t1.250',
    ],
    text: 'sentence1',
    pair: 'sentence2',
    label: 'score',
  },
  QQP: {
    header: 'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate',
    rows: [
      '0\t1\t2\tWhat does "ok mean?\tWhat is the meaning of ""ok""?\t1',
      '1\t3\t4\t"Why is the sky blue?\tHow high is the sky?"\t0',
    ],
    text: 'question1',
    pair: 'question2',
    label: 'is_duplicate',
  },
  MNLI: {
    header:
      'index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label',
    rows: [
      '0\t1\t1n\tmade\t( a b )\t( c d )\t(ROOT (X a b))\t(ROOT (`` "))\t"So it goes.\tIt goes.\tneutral\tneutral',
      '1\t2\t2e\tmade\t( " a )\t( c " )\t(ROOT (X a))\t(ROOT (X c))\tSo "it goes.\t"It" goes.\tentailment\tentailment',
    ],
    text: 'sentence1',
    pair: 'sentence2',
    label: 'gold_label',
  },
  QNLI: {
    header: 'index\tquestion\tsentence\tlabel',
    rows: [
      '0\tWho wrote "The Mill?\t"The Mill" was written by two sisters.\tentailment',
      '1\t"When was it built?\tIt stands on a hill, "facing north.\tnot_entailment',
      '2\tWhere is it"\tNobody knows.\tnot_entailment',
    ],
    text: 'question',
    pair: 'sentence',
    label: 'label',
  },
  RTE: {
    header: 'index\tsentence1\tsentence2\tlabel',
    rows: [
      '0\tThe firm, known as "Ore, was sold.\tOre was sold.\tentailment',
      '1\t"We sold it.\t"We" kept it.\tnot_entailment',
    ],
    text: 'sentence1',
    pair: 'sentence2',
    label: 'label',
  },
  WNLI: {
    header: 'index\tsentence1\tsentence2\tlabel',
    rows: [
      '0\tAnn thanked Eve because "she" had helped.\tEve had helped.\t1',
      '1\tAnn said "no to Eve because she was late.\tAnn was late.\t0',
    ],
    text: 'sentence1',
    pair: 'sentence2',
    label: 'label',
  },
};

describe.each(Object.entries(LAYOUTS))('a file as GLUE has it: %s', (name, { header, rows, ...columns }) => {
  const options: ReadOptions = {
    textColumn: columns.text,
    textPairColumn: columns.pair,
    labelColumn: columns.label,
    ...(header === undefined && { header: false }),
    onBadRow: 'fail',
  };
  const names = header?.replace('\ufeff', '').split('\t') ?? ['1', '2', '3', '4'];
  const cell = (row: string, column: string) => row.split('\t')[names.indexOf(column)];

  it.each(['\n', '\r\n'])('has a row for each line, with its quotes, after %j', async (eol) => {
    const all = header === undefined ? rows : [header, ...rows];
    const path = folder.write(`${name}.tsv`, `${all.join(eol)}${eol}`);
    const { pair } = columns;
    expect(await readRows(path, options)).toEqual({
      rows: rows.map((row, i) => ({
        text: cell(row, columns.text),
        ...(pair !== undefined && { pair: cell(row, pair) }),
        label: cell(row, columns.label),
        line: i + 1 + all.length - rows.length,
      })),
      skipped: [],
      quotes: 'text',
    });
    const head = (await readDataHead(path, options))!;
    expect(head.columns.map((c) => c.name)).toEqual(names);
    const found = head.columns.find((c) => c.name === columns.text)!.values;
    expect(found).toEqual(rows.map((row) => cell(row, columns.text)));
  });
});
