"""A workbook of a study, with the appraisal as live formulas: a file for each sheet, or each few."""
