"""What people run: the command line, the batch run and its report, the doctor, packaging."""
