"""Every option of the product, declared once; what command line, Python methods and documents know follows from it."""
