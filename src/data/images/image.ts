/** An image in memory, as Pillow's mode "RGB". */
export interface RgbImage {
  width: number;
  height: number;
  /** Red, green and blue of each pixel, row by row from the top: 3 × width × height bytes. */
  data: Uint8ClampedArray;
}

/** In pixels. */
export interface Size {
  width: number;
  height: number;
}
