/** In a node's metadata: the path of the module whose work it does, if no name in the file has it. */
export const MODULE = 'aurora.module';

/** In the metadata of a Split: its outputs are weights or biases of linear layers that share one constant. */
export const PACKED = 'aurora.packed';
