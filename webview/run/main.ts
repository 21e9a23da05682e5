import '../ui/page.css';
import { registerToolkit } from '../ui/toolkit';

registerToolkit();
