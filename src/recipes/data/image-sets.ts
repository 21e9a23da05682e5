import type { TaskColumns } from '../../experiment/tasks/columns';
import { taskWith } from '../../experiment/tasks/registry';
import { type DataRecipe, type Layout, NOT_STATED } from './data-kind';

interface ImageSet {
  id: string;
  name: string;
  /** The number of labels; several where the paper does not state which of its levels it uses. */
  classes: readonly number[];
  source: string;
  /** On the hub, where the data set's authors have published it there. */
  hub?: { columns: TaskColumns; source: string };
  /** Its configuration on the hub: the folder of its Parquet files. */
  config?: string;
  /** Folders in the original download that have one folder for each label. */
  folders?: readonly string[];
  unusable?: DataRecipe['unusable'];
  leftOut?: DataRecipe['leftOut'];
}

const SETS: readonly ImageSet[] = [
  {
    id: 'oxford-pets',
    name: 'OxfordPets',
    classes: [37],
    source: 'Parkhi et al., Cats and Dogs, 2012',
    unusable: notInFolders('images', 'its annotations/list.txt'),
  },
  {
    id: 'stanford-cars',
    name: 'StanfordCars',
    classes: [196],
    source: 'Krause et al., 3D Object Representations for Fine-Grained Categorization, 2013',
    unusable: notInFolders('cars_train', 'its devkit'),
  },
  {
    id: 'cifar-10',
    name: 'CIFAR-10',
    classes: [10],
    source: 'Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009',
    hub: { columns: { image: 'img', label: 'label' }, source: 'uoft-cs/cifar10 on the hub' },
    config: 'plain_text',
  },
  {
    id: 'dtd',
    name: 'DTD',
    classes: [47],
    source: 'Cimpoi et al., Describing Textures in the Wild (arXiv 1311.3618)',
    folders: ['images', 'dtd/images'],
    leftOut: [
      'The ten splits of DTD’s own lists (labels/train1.txt to labels/test10.txt) are not read: its folder images has the images of all of them, those for testing too. The paper does not state which split it uses. For one of them, copy its images into train/, val/ and test/, each with a folder for each label.',
    ],
  },
  {
    id: 'eurosat',
    name: 'EuroSAT',
    classes: [10],
    source: 'Helber et al., EuroSAT (arXiv 1709.00029)',
    folders: ['2750', 'EuroSAT_RGB'],
  },
  {
    id: 'fgvc-aircraft',
    name: 'FGVC-Aircraft',
    // Variants, families and manufacturers.
    classes: [100, 70, 41],
    source: 'Maji et al., Fine-Grained Visual Classification of Aircraft (arXiv 1306.5151)',
    unusable: notInFolders('data/images', 'the lists in its folder data'),
  },
  {
    id: 'resisc45',
    name: 'RESISC45',
    classes: [45],
    source: 'Cheng et al., Remote Sensing Image Scene Classification (arXiv 1703.00121)',
    folders: ['NWPU-RESISC45'],
  },
  {
    id: 'cifar-100',
    name: 'CIFAR-100',
    classes: [100],
    source: 'Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009',
    hub: { columns: { image: 'img', label: 'fine_label' }, source: 'uoft-cs/cifar100 on the hub' },
    config: 'cifar100',
  },
];

function notInFolders(folder: string, lists: string): NonNullable<DataRecipe['unusable']> {
  return [
    {
      file: `${folder}/`,
      why: `as it is distributed, all images are in the folder ${folder} and their labels in ${lists}`,
      hint: 'Use Parquet files from the hub, or move the images into one folder for each label.',
    },
  ];
}

const FOLDERS: Omit<Layout, 'train'> = {
  title: 'a folder for each label',
  validation: ['validation/', 'valid/', 'val/'],
  test: ['test/'],
  columns: {},
  read: {},
  source: 'the names of the folders, as torchvision’s ImageFolder reads them',
};

const parquet = (hub: ImageSet['hub']): Layout => ({
  title: 'the hub’s Parquet files',
  train: ['train-00000-of-00001.parquet', 'train/0000.parquet'],
  // The set's own validation folder, which some copies call val.
  validation: ['validation', 'val'].flatMap((split) => [
    `${split}-00000-of-00001.parquet`,
    `${split}/0000.parquet`,
  ]),
  test: ['test-00000-of-00001.parquet', 'test/0000.parquet'],
  columns: hub?.columns ?? {},
  ...(!hub && { columnsInFile: true }),
  read: {},
  source: hub?.source ?? `${NOT_STATED}: several copies are on the hub; its columns are read from the file`,
});

/** The paper's eight image data sets, in its order. */
export const IMAGE_DATA: readonly DataRecipe[] = SETS.map(
  ({ id, name, classes, source, hub, config = 'default', folders = [], unusable, leftOut = [] }) => ({
    id: `images/${id}`,
    name,
    task: { value: taskWith({ input: 'image', answer: 'label' })!, source },
    pooling: {
      value: 'first-token',
      source: 'ViTForImageClassification of transformers; the paper does not state it',
    },
    models: { base: 'vit-base', large: 'vit-large' },
    classes: { value: classes, source },
    split: {
      value: 'trained on the training set; a share of it is held out where there is no validation set',
      source: `${NOT_STATED} in the paper`,
    },
    validated: false,
    // Copies have their files in data; the hub's conversions are in a folder for the configuration.
    folders: ['', 'data', config, ...folders],
    layouts: [
      parquet(hub),
      { ...FOLDERS, train: ['train/'] },
      { ...FOLDERS, train: [''], validation: [], test: [], within: ['', ...folders] },
    ],
    unusable,
    leftOut: [
      ...leftOut,
      ...(classes.length > 1
        ? [`The paper does not state which labels of ${name} it uses: ${classes.join(', ')} are possible.`]
        : []),
      'The size of 224 × 224 pixels is that of the model and its preprocessor_config.json.',
    ],
  }),
);
