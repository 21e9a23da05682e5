type Rename = readonly [inClass: RegExp, inFolder: string];

/** Attention in ViT and its relatives, and the list that holds their layers. */
const ATTENTION: readonly Rename[] = [
  [/\battention\.q_proj\b/, 'attention.attention.query'],
  [/\battention\.k_proj\b/, 'attention.attention.key'],
  [/\battention\.v_proj\b/, 'attention.attention.value'],
  [/\battention\.o_proj\b/, 'attention.output.dense'],
  [/(^|\.)layers\.(?=\d)/, '$1encoder.layer.'],
];

/** Their feed-forward part, which DINOv2 has under this name in its folders too. */
const FEED_FORWARD: readonly Rename[] = [
  [/\bmlp\.fc1\b/, 'intermediate.dense'],
  [/\bmlp\.fc2\b/, 'output.dense'],
];

/** Sets of renamings, each for a group of families. */
const RENAMINGS: readonly (readonly Rename[])[] = [
  [...ATTENTION, ...FEED_FORWARD],
  ATTENTION,
  // DINOv3
  [[/(^|\.)model\.layer\.(?=\d)/, '$1layer.']],
  // Mixtral
  [[/\bmlp\.(?=gate\b|experts\.)/, 'block_sparse_moe.']],
];

/**
 * Ways to turn the names of modules in classes of transformers 5 into those in folders, where it has renamed modules and reads and
 * writes folders under the former names (conversion_mapping.py): `layers.0.attention.q_proj` for
 * `encoder.layer.0.attention.attention.query`. Adapters that PEFT wrote there have the names of the class.
 */
export const folderNames: readonly ((module: string) => string)[] = RENAMINGS.map(
  (renames) => (module: string) =>
    renames.reduce((name, [inClass, inFolder]) => name.replace(inClass, inFolder), module),
);
